/** Rules that hold for the whole module. */
@NullMarked
package dev.viesti.protocol;

import org.jspecify.annotations.NullMarked;
