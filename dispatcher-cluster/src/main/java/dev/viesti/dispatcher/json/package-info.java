/** The one {@code ObjectMapper} of Viesti and the shapes that Jackson does not know by itself. */
@NullMarked
package dev.viesti.dispatcher.json;

import org.jspecify.annotations.NullMarked;
