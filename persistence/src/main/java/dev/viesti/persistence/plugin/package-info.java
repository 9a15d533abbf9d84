/** The modules of plugins as bytes. Knows nothing of what is in them, and runs none. */
@NullMarked
package dev.viesti.persistence.plugin;

import org.jspecify.annotations.NullMarked;
