/** The {@code handler} target: Java functions that the embedding service registered. */
@NullMarked
package dev.viesti.dispatcher.target.handler;

import org.jspecify.annotations.NullMarked;
