/**
 * The HTTP API without a transport: routes, JSON, validation, problems. A server (or a servlet, or
 * whatever an embedding service has) hands a {@link dev.viesti.ops.api.RequestHead} to {@link
 * dev.viesti.ops.api.Api#admit}, reads the body within the limit it is told, and sends the {@link
 * dev.viesti.ops.api.ApiResponse} back. Never blocks and knows no type of any HTTP server.
 */
@NullMarked
package dev.viesti.ops.api;

import org.jspecify.annotations.NullMarked;
