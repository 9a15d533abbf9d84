/** Tests of the dead letters on a real PostgreSQL. */
@NullMarked
package dev.viesti.persistence.deadletter;

import org.jspecify.annotations.NullMarked;
