/** Tests of what plugins keep, on a real database. */
@NullMarked
package dev.viesti.persistence.effects;

import org.jspecify.annotations.NullMarked;
