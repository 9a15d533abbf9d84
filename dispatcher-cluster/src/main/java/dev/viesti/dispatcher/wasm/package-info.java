/**
 * The port to a WebAssembly runtime: loads untrusted modules and calls them under limits of fuel,
 * memory, stack and time. Knows nothing of plugins, apps or events; {@code wasm.endive} is the one
 * runtime behind it.
 */
@NullMarked
package dev.viesti.dispatcher.wasm;

import org.jspecify.annotations.NullMarked;
