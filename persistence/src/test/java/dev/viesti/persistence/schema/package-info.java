/** Tests of the migrator on real databases. */
@NullMarked
package dev.viesti.persistence.schema;

import org.jspecify.annotations.NullMarked;
