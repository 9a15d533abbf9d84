/** Tests of event values. */
@NullMarked
package dev.viesti.protocol.event;

import org.jspecify.annotations.NullMarked;
