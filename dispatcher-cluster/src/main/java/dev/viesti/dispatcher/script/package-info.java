/**
 * Runs scripts: JavaScript as a trigger's target. Each call is a fresh instance of QuickJS, itself
 * a WebAssembly module, under the same limits of fuel, memory, stack and time as plugins; enter
 * through {@link dev.viesti.dispatcher.script.ScriptEngine}.
 *
 * <p>A script's source is run from its top, then one of its functions is called: {@code
 * handleEvent(type, payload)} for an event, any other for {@code invoke}. Returning is success,
 * throwing is failure. What it may do outside itself is the global object {@code viesti}, every
 * function of which is one call of {@link dev.viesti.dispatcher.script.ScriptHost}. See
 * docs/plugin/scripts.md.
 *
 * <p>Knows nothing of triggers, deliveries or transactions, and has no clock, no randomness, no
 * file and no network to give.
 */
@NullMarked
package dev.viesti.dispatcher.script;

import org.jspecify.annotations.NullMarked;
