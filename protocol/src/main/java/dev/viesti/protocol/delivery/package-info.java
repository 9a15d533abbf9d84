/**
 * One event on its way to one trigger's target: its identity, its row, how an attempt can end and
 * what follows from that. Everything here is pure: no clock, no randomness of its own, no storage.
 */
@NullMarked
package dev.viesti.protocol.delivery;

import org.jspecify.annotations.NullMarked;
