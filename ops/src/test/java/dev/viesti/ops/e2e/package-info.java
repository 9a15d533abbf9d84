/**
 * The promises of the product, kept or broken by real nodes on a real PostgreSQL: events go in over
 * HTTP, webhooks come out, and whatever is killed in between, what was accepted is not lost. Only
 * what users have is used here: the command line, the HTTP API, endpoints of their own.
 */
@NullMarked
package dev.viesti.ops.e2e;

import org.jspecify.annotations.NullMarked;
