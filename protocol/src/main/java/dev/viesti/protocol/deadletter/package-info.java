/** Deliveries given up on, kept until somebody resolves them. */
@NullMarked
package dev.viesti.protocol.deadletter;

import org.jspecify.annotations.NullMarked;
