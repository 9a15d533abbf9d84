/** Tests of how a delivery goes on. */
@NullMarked
package dev.viesti.protocol.delivery;

import org.jspecify.annotations.NullMarked;
