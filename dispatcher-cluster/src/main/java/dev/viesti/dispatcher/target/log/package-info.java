/** The {@code log} target. */
@NullMarked
package dev.viesti.dispatcher.target.log;

import org.jspecify.annotations.NullMarked;
