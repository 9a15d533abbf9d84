/** Tests of what is done to a binary before it is compiled. */
@NullMarked
package dev.viesti.dispatcher.wasm.metering;

import org.jspecify.annotations.NullMarked;
