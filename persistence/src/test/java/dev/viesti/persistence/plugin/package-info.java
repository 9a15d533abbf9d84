/** Tests of modules as bytes, on a real database. */
@NullMarked
package dev.viesti.persistence.plugin;

import org.jspecify.annotations.NullMarked;
