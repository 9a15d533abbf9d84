/**
 * The dead letters of all apps. They come here with a settlement ({@code outbox}); reading and
 * resolving is here. Replay writes outbox rows and is therefore fenced like every insert.
 */
@NullMarked
package dev.viesti.persistence.deadletter;

import org.jspecify.annotations.NullMarked;
