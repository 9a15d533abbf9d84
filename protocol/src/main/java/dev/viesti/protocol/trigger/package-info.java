/**
 * Triggers: which events, which target, which retry policy. Pure values with their checks; the
 * records are also the JSON shape of the API and of the journal.
 */
@NullMarked
package dev.viesti.protocol.trigger;

import org.jspecify.annotations.NullMarked;
