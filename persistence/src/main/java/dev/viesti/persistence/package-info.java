/** How this module reaches PostgreSQL. Everything else in it is in the packages below. */
@NullMarked
package dev.viesti.persistence;

import org.jspecify.annotations.NullMarked;
