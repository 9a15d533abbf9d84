/** Rules that hold for the whole module. */
@NullMarked
package dev.viesti.persistence;

import org.jspecify.annotations.NullMarked;
