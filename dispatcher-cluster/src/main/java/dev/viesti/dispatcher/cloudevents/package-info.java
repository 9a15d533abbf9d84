/**
 * CloudEvents 1.0 as bytes: what the HTTP door reads and what webhooks send. Reads with a streaming
 * parser and cuts {@code data} out of the input, so that it leaves byte for byte as it came. Never
 * touches the database or the network.
 */
@NullMarked
package dev.viesti.dispatcher.cloudevents;

import org.jspecify.annotations.NullMarked;
