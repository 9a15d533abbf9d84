/** Tests of the engine: what modules cost, and what they cannot do. */
@NullMarked
package dev.viesti.dispatcher.wasm.endive;

import org.jspecify.annotations.NullMarked;
