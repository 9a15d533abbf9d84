/** Binaries for the tests of the packages below. */
@NullMarked
package dev.viesti.dispatcher.wasm;

import org.jspecify.annotations.NullMarked;
