/**
 * An app: the unit of ownership, isolation and fairness. Read by every module; knows nothing of
 * storage or actors.
 */
@NullMarked
package dev.viesti.protocol.app;

import org.jspecify.annotations.NullMarked;
