package dev.viesti.ops.authoring;

import dev.viesti.dispatcher.plugin.manifest.MalformedManifestException;
import dev.viesti.dispatcher.plugin.manifest.ManifestReader;
import dev.viesti.dispatcher.plugin.manifest.ManifestReader.Format;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.Manifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A manifest as its author wrote it, and what it says.
 *
 * @param text its bytes
 */
public record ManifestFile(Payload text, Manifest manifest) {
  static final List<String> NAMES = List.of("plugin.toml", "plugin.json");

  static ManifestFile read(Path file) throws AuthoringException, IOException {
    return parse(Payload.of(Files.readAllBytes(file)), file.toString());
  }

  /**
   * @param origin where it came from, for people
   * @throws AuthoringException with everything that is wrong, a line each
   */
  static ManifestFile parse(Payload text, String origin) throws AuthoringException {
    try {
      return new ManifestFile(text, ManifestReader.read(text.bytes(), format(text)));
    } catch (MalformedManifestException wrong) {
      throw new AuthoringException(
          wrong.faults().stream()
              .map(fault -> "\n  " + fault)
              .collect(Collectors.joining("", origin + " is no valid manifest:", "")));
    }
  }

  /** JSON begins with a brace, and TOML cannot. */
  private static Format format(Payload text) {
    for (byte character : text.bytes()) {
      if (!Character.isWhitespace(character)) {
        return character == '{' ? Format.JSON : Format.TOML;
      }
    }
    return Format.TOML;
  }
}
