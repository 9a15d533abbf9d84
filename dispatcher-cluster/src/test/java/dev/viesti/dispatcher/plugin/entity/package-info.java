/** Tests of entities as JSON. */
@NullMarked
package dev.viesti.dispatcher.plugin.entity;

import org.jspecify.annotations.NullMarked;
