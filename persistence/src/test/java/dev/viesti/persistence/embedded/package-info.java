/** Tests of the embedded server, and the databases that every module's tests use. */
@NullMarked
package dev.viesti.persistence.embedded;

import org.jspecify.annotations.NullMarked;
