/**
 * What crosses from node to node: answers of an app, and the marker that chooses their encoding.
 */
@NullMarked
package dev.viesti.dispatcher.wire;

import org.jspecify.annotations.NullMarked;
