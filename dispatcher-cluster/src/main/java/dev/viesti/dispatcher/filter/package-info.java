/**
 * Filters of triggers: boolean CEL expressions over one event. Called by the owner of an app for
 * each event and trigger, on its own thread: so compiling refuses what cannot be bounded, and
 * evaluating stops when its budget is used up. Never does any input or output.
 */
@NullMarked
package dev.viesti.dispatcher.filter;

import org.jspecify.annotations.NullMarked;
