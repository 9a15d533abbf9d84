package dev.viesti.ops.cli;

import dev.viesti.dispatcher.PluginUpload;
import dev.viesti.dispatcher.PluginUpload.ManifestText;
import dev.viesti.dispatcher.plugin.CustomSections;
import dev.viesti.dispatcher.plugin.manifest.MalformedManifestException;
import dev.viesti.dispatcher.plugin.manifest.ManifestReader;
import dev.viesti.dispatcher.plugin.manifest.ManifestReader.Format;
import dev.viesti.ops.cli.client.FormBody;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.Manifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What {@code plugin push} sends, read and checked before anything goes out: most mistakes are in
 * the manifest, and whoever makes them waits for no server.
 *
 * @param config null when none was given
 */
record PluginPush(Payload module, ManifestText manifest, Manifest says, @Nullable Payload config) {
  /**
   * @param manifestFile null: the module brings its manifest
   * @throws CommandFailure naming the file and all that is wrong
   */
  static PluginPush read(
      String moduleFile, @Nullable String manifestFile, @Nullable String config) {
    Payload module = bytes(moduleFile);
    ManifestText text = manifest(module, moduleFile, manifestFile);
    try {
      Manifest says = ManifestReader.read(text.text().bytes(), text.format());
      return new PluginPush(module, text, says, config == null ? null : bytes(config));
    } catch (MalformedManifestException wrong) {
      String where = manifestFile == null ? "the manifest in " + moduleFile : manifestFile;
      throw CommandFailure.usage(
          wrong.faults().stream()
              .map(fault -> "\n  " + fault)
              .collect(Collectors.joining("", where + " is no valid manifest:", "")));
    }
  }

  private static ManifestText manifest(Payload module, String moduleFile, @Nullable String file) {
    if (file == null) {
      byte[] section = CustomSections.find(module.bytes(), PluginUpload.SECTION);
      if (section == null) {
        throw CommandFailure.usage(
            "%s has no manifest in a custom section '%s': give one with --manifest"
                .formatted(moduleFile, PluginUpload.SECTION));
      }
      return ManifestText.guess(Payload.of(section));
    }
    Payload text = bytes(file);
    if (file.endsWith(".json")) {
      return new ManifestText(text, Format.JSON);
    }
    return file.endsWith(".toml") ? new ManifestText(text, Format.TOML) : ManifestText.guess(text);
  }

  /** The form that the API takes. */
  FormBody form() {
    var form = new FormBody("viesti-" + UUID.randomUUID());
    form.part("module", "application/wasm", module.bytes());
    form.part(
        "manifest",
        manifest.format() == Format.JSON ? "application/json" : "application/toml",
        manifest.text().bytes());
    return config == null ? form : form.part("config", "application/json", config.bytes());
  }

  private static Payload bytes(String file) {
    try {
      return Payload.of(Files.readAllBytes(Path.of(file)));
    } catch (IOException failed) {
      throw CommandFailure.usage("cannot read " + file + ": " + ServerOptions.reason(failed));
    }
  }
}
