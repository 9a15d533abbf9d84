/**
 * {@code bin/viesti demo}: a node, a receiver and ten thousand events in one JVM, and a check that
 * every number adds up. Enter through {@link dev.viesti.ops.demo.Demo}. Speaks to the node by its
 * HTTP API only, as a user would.
 */
@NullMarked
package dev.viesti.ops.demo;

import org.jspecify.annotations.NullMarked;
