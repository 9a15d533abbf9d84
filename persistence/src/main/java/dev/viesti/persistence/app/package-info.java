/**
 * The directory of all apps: a read model of the journal, so that apps can be listed without waking
 * them. The journal is the truth; an app writes its line before it answers.
 */
@NullMarked
package dev.viesti.persistence.app;

import org.jspecify.annotations.NullMarked;
