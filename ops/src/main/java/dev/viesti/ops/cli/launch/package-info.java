/**
 * Where the commands meet the server: what a person can choose about a node, and the one class that
 * starts it. The demo starts its node here, too.
 */
@NullMarked
package dev.viesti.ops.cli.launch;

import org.jspecify.annotations.NullMarked;
