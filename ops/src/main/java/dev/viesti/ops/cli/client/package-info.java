/**
 * A small client of the HTTP API over the JDK's own HTTP client. The commands and the demo use it;
 * it knows paths and problems, never how something is shown.
 */
@NullMarked
package dev.viesti.ops.cli.client;

import org.jspecify.annotations.NullMarked;
