/** Tests of what a plugin is to everybody. */
@NullMarked
package dev.viesti.protocol.plugin;

import org.jspecify.annotations.NullMarked;
