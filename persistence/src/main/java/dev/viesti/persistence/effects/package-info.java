/**
 * What plugins keep in PostgreSQL, and how the effects of a call and the settlement of its delivery
 * become durable together: kv, entities, numbering, events. Never runs a plugin.
 */
@NullMarked
package dev.viesti.persistence.effects;

import org.jspecify.annotations.NullMarked;
