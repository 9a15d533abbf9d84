/** Tests of what an owner decides. */
@NullMarked
package dev.viesti.dispatcher.outbox;

import org.jspecify.annotations.NullMarked;
