/**
 * Entities as JSON: what a plugin or a caller of the API hands over is checked against the entity's
 * type here, before the database sees it. Reads and writes no table.
 */
@NullMarked
package dev.viesti.dispatcher.plugin.entity;

import org.jspecify.annotations.NullMarked;
