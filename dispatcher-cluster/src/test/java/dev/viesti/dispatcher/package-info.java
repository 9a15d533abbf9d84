/** Tests of a whole node, and what they share. */
@NullMarked
package dev.viesti.dispatcher;

import org.jspecify.annotations.NullMarked;
