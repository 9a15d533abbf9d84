package dev.viesti.ops.authoring;

import dev.viesti.protocol.plugin.PluginId;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;

/** Modules that are kept beside their sources. */
public final class Built {
  /** The id that a template is built under. */
  static final PluginId TEMPLATE = new PluginId("template");

  private Built() {}

  /** A folder of {@code src/samples}. */
  static Path sample(String name) {
    Path root = Path.of("").toAbsolutePath();
    while (!Files.isDirectory(root.resolve("ops/src/samples"))) {
      root = Objects.requireNonNull(root.getParent(), "this test runs in no checkout");
    }
    return root.resolve("ops/src/samples").resolve(name);
  }

  static byte[] resource(Language language, String name) throws IOException {
    try (InputStream in = Built.class.getResourceAsStream(language.word() + "/" + name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    }
  }

  /** A project that has just been made, with its module. */
  public static Path template(Language language, Path folder)
      throws AuthoringException, IOException {
    ProjectTemplate.write(TEMPLATE, language, folder);
    Path module = Project.open(folder).module();
    Files.createDirectories(Objects.requireNonNull(module.getParent()));
    Files.write(module, resource(language, "template.wasm"));
    return folder;
  }

  /** What a compiler would make of the template: its module without the manifest at the end. */
  public static byte[] bare(Language language, Path scratch)
      throws AuthoringException, IOException {
    byte[] whole = resource(language, "template.wasm");
    Project project = Project.open(template(language, scratch));
    int section = PluginFile.of(new byte[8], project.manifest()).module().size() - 8;
    return Arrays.copyOf(whole, whole.length - section);
  }
}
