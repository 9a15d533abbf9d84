/**
 * Events written by a service in its own database transaction, for a Viesti cluster on the same
 * database. Plain {@code java.sql}: it never commits, never changes a connection that it was given,
 * and knows nothing of the rest of Viesti but the tables. Start at {@link
 * dev.viesti.client.ViestiClient}.
 */
@NullMarked
package dev.viesti.client;

import org.jspecify.annotations.NullMarked;
