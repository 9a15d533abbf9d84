/**
 * The names of Viesti's own metrics, and nothing else: they are API and listed in
 * docs/telemetry.md.
 */
@NullMarked
package dev.viesti.dispatcher.metrics;

import org.jspecify.annotations.NullMarked;
