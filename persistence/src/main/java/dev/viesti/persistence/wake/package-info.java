/**
 * Hears that other processes have committed rows. Called by the dispatcher's {@code wake}. What is
 * heard is a hint: it may be missing, and must never be needed.
 */
@NullMarked
package dev.viesti.persistence.wake;

import org.jspecify.annotations.NullMarked;
