/** Tests of the outbox on a real PostgreSQL. */
@NullMarked
package dev.viesti.persistence.outbox;

import org.jspecify.annotations.NullMarked;
