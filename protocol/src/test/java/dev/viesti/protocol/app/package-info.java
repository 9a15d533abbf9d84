/** Tests of app values. */
@NullMarked
package dev.viesti.protocol.app;

import org.jspecify.annotations.NullMarked;
