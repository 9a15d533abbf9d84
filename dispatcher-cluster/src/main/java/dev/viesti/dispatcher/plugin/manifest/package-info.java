/**
 * Reads what a plugin says of itself, JSON or TOML that nobody has looked at, and checks
 * configurations against its schema. Enter through {@link
 * dev.viesti.dispatcher.plugin.manifest.ManifestReader} and {@link
 * dev.viesti.dispatcher.plugin.manifest.ConfigSchema}. Knows no app and no database, and fetches
 * nothing.
 */
@NullMarked
package dev.viesti.dispatcher.plugin.manifest;

import org.jspecify.annotations.NullMarked;
