/**
 * The tables, and how a database gets them. Enter through {@link
 * dev.viesti.persistence.schema.SchemaMigrator}: the server runs it at start, {@code viesti
 * migrate} by hand. The migrations are the {@code V…__….sql} files beside this package's classes; a
 * released one is never edited. Other packages read and write the tables; none creates one.
 */
@NullMarked
package dev.viesti.persistence.schema;

import org.jspecify.annotations.NullMarked;
