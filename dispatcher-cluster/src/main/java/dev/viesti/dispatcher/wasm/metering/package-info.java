/**
 * The passes over a module's bytes before any runtime compiles them: what it may contain, and fuel
 * built into its code. Pure functions of bytes; knows no runtime. Written for input that was made
 * to do harm: nothing here grows beyond the module, and no loop runs longer than its bytes.
 */
@NullMarked
package dev.viesti.dispatcher.wasm.metering;

import org.jspecify.annotations.NullMarked;
