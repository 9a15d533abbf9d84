/**
 * The one WebAssembly runtime behind the port: Endive, which compiles modules to JVM bytecode. Its
 * types stay in this package.
 */
@NullMarked
package dev.viesti.dispatcher.wasm.endive;

import org.jspecify.annotations.NullMarked;
