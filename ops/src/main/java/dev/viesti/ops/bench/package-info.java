/**
 * Measures a node from outside, as its users meet it: a node in a process of its own, a database
 * that syncs, load over HTTP, webhooks to a server in this process. Called by {@code bin/viesti
 * bench}; the method is described in {@code docs/benchmarks.md}. Never reaches into the engine.
 */
@NullMarked
package dev.viesti.ops.bench;

import org.jspecify.annotations.NullMarked;
