@NullMarked
package dev.viesti.dispatcher.script;

import org.jspecify.annotations.NullMarked;
