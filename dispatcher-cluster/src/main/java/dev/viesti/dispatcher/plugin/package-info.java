/**
 * Runs plugins: finds the version that an app has now, gives each call a fresh instance and the
 * host API, gathers what the call wants durable, and has that committed together with the
 * settlement of its delivery. What an app has installed is the app's decision ({@code
 * dispatcher.app}); what a module may do to the machine is {@code dispatcher.wasm}'s.
 */
@NullMarked
package dev.viesti.dispatcher.plugin;

import org.jspecify.annotations.NullMarked;
