/**
 * One process that is a whole Viesti node: database (its own or one that is given), engine, HTTP
 * API, management. Started by the command line and by tests; the wiring is {@link
 * dev.viesti.ops.server.Server#start}.
 */
@NullMarked
package dev.viesti.ops.server;

import org.jspecify.annotations.NullMarked;
