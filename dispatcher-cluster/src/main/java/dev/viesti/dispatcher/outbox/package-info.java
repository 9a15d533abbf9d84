/**
 * The owner of one app's outbox: which rows are in memory, what runs next, what follows from an
 * outcome. Enter through {@link dev.viesti.dispatcher.outbox.Outbox}, which hands each command to
 * one of its parts: ownership, reading, intake, runs, settling, operators' requests. The decisions
 * are in classes that know no actors, {@link dev.viesti.dispatcher.outbox.Ledger} first of all.
 * Never opens a connection on an actor's thread.
 */
@NullMarked
package dev.viesti.dispatcher.outbox;

import org.jspecify.annotations.NullMarked;
