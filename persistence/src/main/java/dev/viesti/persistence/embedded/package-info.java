/**
 * Real PostgreSQL without an installation: for {@code viesti dev}, for tests and for small single
 * machines. Enter through {@link dev.viesti.persistence.embedded.EmbeddedPostgres}; its callers are
 * the server's {@code main} and tests. Durable like any other PostgreSQL (fsync on). It must never
 * become a condition: everything else in Viesti sees a JDBC URL and cannot tell the difference.
 */
@NullMarked
package dev.viesti.persistence.embedded;

import org.jspecify.annotations.NullMarked;
