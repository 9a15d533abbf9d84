/**
 * The API on pekko-http: reads heads and bodies, sends answers and streams. Decides nothing; that
 * is {@code ops.api}. Started by {@code ops.server}.
 */
@NullMarked
package dev.viesti.ops.http;

import org.jspecify.annotations.NullMarked;
