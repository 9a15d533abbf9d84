/** Tests of the package of the same name. */
@NullMarked
package dev.viesti.dispatcher.execution;

import org.jspecify.annotations.NullMarked;
