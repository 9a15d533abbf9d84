/** Tests of the package of the same name. */
@NullMarked
package dev.viesti.dispatcher.app;

import org.jspecify.annotations.NullMarked;
