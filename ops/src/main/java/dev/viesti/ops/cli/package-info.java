/**
 * {@code bin/viesti}: one class per group of commands. Enter through {@link
 * dev.viesti.ops.cli.Main}. Client commands know the server by its HTTP API only, so they work
 * against any node; {@code dev} and {@code serve} start one in this JVM.
 */
@NullMarked
package dev.viesti.ops.cli;

import org.jspecify.annotations.NullMarked;
