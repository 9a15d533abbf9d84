/**
 * Passes wake-ups of clients on to the owners of their apps. Started by the node. A lost wake-up
 * costs at most the sweep's interval, so nothing here is ever waited for.
 */
@NullMarked
package dev.viesti.dispatcher.wake;

import org.jspecify.annotations.NullMarked;
