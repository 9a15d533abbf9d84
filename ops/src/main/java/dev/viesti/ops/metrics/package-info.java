/**
 * The node's meter registry and the names of the meters that the operator's surfaces add. Used by
 * {@code ops.server} and {@code ops.api}; meters of the engine are named beside the engine.
 */
@NullMarked
package dev.viesti.ops.metrics;

import org.jspecify.annotations.NullMarked;
