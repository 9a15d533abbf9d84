/** Tests of triggers, patterns and retry policies. */
@NullMarked
package dev.viesti.protocol.trigger;

import org.jspecify.annotations.NullMarked;
