/**
 * The control plane of one app: a sharded, event-sourced actor that knows the app's settings and
 * triggers, matches events to them in memory, and is the parent of the app's outbox. Its journal is
 * the audit log. Never touches rows of events itself.
 */
@NullMarked
package dev.viesti.dispatcher.app;

import org.jspecify.annotations.NullMarked;
