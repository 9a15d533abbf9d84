/**
 * Events as they enter, wait in an outbox and leave: the CloudEvents attributes that Viesti looks
 * at as fields, everything else carried through untouched. Never parses or re-prints {@code data}.
 */
@NullMarked
package dev.viesti.protocol.event;

import org.jspecify.annotations.NullMarked;
