/**
 * Webhooks: one signed POST per attempt. Called on the attempt's virtual thread; knows the network
 * and nothing of outboxes. Whatever an endpoint does (hang, drip, redirect, answer without end,
 * resolve to the inside) ends as an outcome within the attempt's time.
 */
@NullMarked
package dev.viesti.dispatcher.target.webhook;

import org.jspecify.annotations.NullMarked;
