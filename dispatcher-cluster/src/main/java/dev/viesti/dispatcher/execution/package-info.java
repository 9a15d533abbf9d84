/**
 * Running one attempt: its thread, and the gate that says how many may run on a node at once. Knows
 * neither the outbox nor what a target does.
 */
@NullMarked
package dev.viesti.dispatcher.execution;

import org.jspecify.annotations.NullMarked;
