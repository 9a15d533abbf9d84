/**
 * What a plugin is, to everybody: its name, what it says of itself (the manifest), what it may do
 * and how much of it. Reads no text and runs nothing.
 */
@NullMarked
package dev.viesti.protocol.plugin;

import org.jspecify.annotations.NullMarked;
