/** Tests of the directory of apps on a real PostgreSQL. */
@NullMarked
package dev.viesti.persistence.app;

import org.jspecify.annotations.NullMarked;
