package dev.viesti.ops.authoring;

import dev.viesti.dispatcher.plugin.CustomSections;
import dev.viesti.protocol.event.Payload;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A module that is ready to be installed, with its manifest.
 *
 * @param module the binary, the manifest inside of it
 */
public record PluginFile(Payload module, ManifestFile manifest) {
  /** Of the custom section that a manifest is in. */
  private static final String SECTION = "viesti-manifest";

  /**
   * Reads a built module, or the one that a project's folder has built.
   *
   * @throws AuthoringException saying what to do first
   */
  public static PluginFile read(Path path) throws AuthoringException, IOException {
    if (!Files.exists(path)) {
      throw new AuthoringException("there is no " + path);
    }
    Path file = Files.isDirectory(path) ? Project.open(path).module() : path;
    if (!Files.exists(file)) {
      throw new AuthoringException(
          "there is no %s: build it with: viesti plugin build %s".formatted(file, path));
    }
    byte[] module = Files.readAllBytes(file);
    byte[] section = CustomSections.find(module, SECTION);
    if (section == null) {
      throw new AuthoringException(
          "%s has no manifest in a custom section '%s': viesti plugin build puts it there"
              .formatted(file, SECTION));
    }
    return new PluginFile(
        Payload.of(module), ManifestFile.parse(Payload.of(section), "the manifest in " + file));
  }

  /** Puts a manifest behind a module that has none. */
  static PluginFile of(byte[] bare, ManifestFile manifest) throws AuthoringException {
    if (CustomSections.find(bare, SECTION) != null) {
      throw new AuthoringException("the module has a section '" + SECTION + "' already");
    }
    var content = new ByteArrayOutputStream();
    byte[] name = SECTION.getBytes(StandardCharsets.UTF_8);
    writeUnsigned(content, name.length);
    content.writeBytes(name);
    content.writeBytes(manifest.text().bytes());
    var whole = new ByteArrayOutputStream();
    whole.writeBytes(bare);
    whole.write(0); // the id of custom sections
    writeUnsigned(whole, content.size());
    whole.writeBytes(content.toByteArray());
    return new PluginFile(Payload.of(whole.toByteArray()), manifest);
  }

  /** LEB128. */
  private static void writeUnsigned(ByteArrayOutputStream out, int value) {
    int rest = value;
    while (rest >= 0x80) {
      out.write((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    out.write(rest);
  }

  /** Recorded events beside a project's manifest; empty when {@code path} is no project. */
  public static List<Path> eventsOf(Path path) {
    Path events = path.resolve(Project.EVENTS).normalize();
    return Files.exists(events) ? List.of(events) : List.of();
  }
}
