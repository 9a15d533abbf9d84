/**
 * A node's group commits: what the owners of all its apps want written while one transaction is
 * under way goes into the next one. The only place that sends the two statements of the hot path.
 * Callbacks run on a lane's thread and may only tell actors.
 */
@NullMarked
package dev.viesti.dispatcher.commit;

import org.jspecify.annotations.NullMarked;
