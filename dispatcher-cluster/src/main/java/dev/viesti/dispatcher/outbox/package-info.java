/**
 * The owner of one app's outbox: which rows are in memory, what runs next, what follows from an
 * outcome. Enter through {@link dev.viesti.dispatcher.outbox.Outbox}; the decisions are in {@link
 * dev.viesti.dispatcher.outbox.Ledger}, which knows no actors. Never opens a connection on an
 * actor's thread.
 */
@NullMarked
package dev.viesti.dispatcher.outbox;

import org.jspecify.annotations.NullMarked;
