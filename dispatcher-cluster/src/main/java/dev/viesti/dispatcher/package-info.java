/**
 * The one door for embedders and for the operator's surfaces: {@link dev.viesti.dispatcher.Viesti}.
 * What is behind it (actors, targets, commits) is in the packages below and not for callers.
 */
@NullMarked
package dev.viesti.dispatcher;

import org.jspecify.annotations.NullMarked;
