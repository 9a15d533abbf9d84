/** Tests of the package of the same name. */
@NullMarked
package dev.viesti.dispatcher.commit;

import org.jspecify.annotations.NullMarked;
