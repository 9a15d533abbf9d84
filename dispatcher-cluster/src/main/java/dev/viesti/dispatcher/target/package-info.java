/**
 * What all targets have in common: a target runs one attempt of one delivery on the virtual thread
 * that its execution gave it, and says how it ended. Never touches the outbox.
 */
@NullMarked
package dev.viesti.dispatcher.target;

import org.jspecify.annotations.NullMarked;
