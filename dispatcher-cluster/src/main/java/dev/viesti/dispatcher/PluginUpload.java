package dev.viesti.dispatcher;

import dev.viesti.dispatcher.plugin.manifest.ManifestReader.Format;
import dev.viesti.protocol.event.Payload;
import org.jspecify.annotations.Nullable;

/**
 * What somebody wants to be installed; nobody has looked at it.
 *
 * @param module the WASM binary
 * @param manifest null: it is in the module's custom section {@value #SECTION}
 * @param config a JSON object as text; null when it has none
 */
public record PluginUpload(
    Payload module, @Nullable ManifestText manifest, @Nullable String config) {
  /** A module may bring its manifest along in a custom section of this name. */
  public static final String SECTION = "viesti-manifest";

  /** A manifest as its author wrote it. */
  public record ManifestText(Payload text, Format format) {
    /** JSON begins with a brace, and TOML cannot. */
    public static ManifestText guess(Payload text) {
      for (byte character : text.bytes()) {
        if (!Character.isWhitespace(character)) {
          return new ManifestText(text, character == '{' ? Format.JSON : Format.TOML);
        }
      }
      return new ManifestText(text, Format.JSON);
    }
  }
}
