/** What an embedding service implements to run a delivery in its own JVM. */
@NullMarked
package dev.viesti.protocol.handler;

import org.jspecify.annotations.NullMarked;
