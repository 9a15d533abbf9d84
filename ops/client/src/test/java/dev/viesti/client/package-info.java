@NullMarked
package dev.viesti.client;

import org.jspecify.annotations.NullMarked;
