package dev.viesti.ops.authoring;

import dev.viesti.protocol.plugin.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A folder with a manifest and the sources of a plugin.
 *
 * @param language null when it is none that can be compiled here
 */
public record Project(Path folder, @Nullable Language language, ManifestFile manifest) {
  static final String EVENTS = "events.jsonl";

  /** Folders that hold no sources. */
  private static final List<String> MADE = List.of("build", "node_modules", "target");

  /**
   * @throws AuthoringException when it is no project, or its manifest is wrong
   */
  public static Project open(Path folder) throws AuthoringException, IOException {
    Path manifest =
        ManifestFile.NAMES.stream()
            .map(folder::resolve)
            .filter(Files::exists)
            .findFirst()
            .orElseThrow(
                () ->
                    new AuthoringException(
                        "%s has no %s: make a project with: viesti plugin new ID"
                            .formatted(folder, String.join(" and no ", ManifestFile.NAMES))));
    Language language =
        Arrays.stream(Language.values())
            .filter(one -> Files.exists(folder.resolve(one.source())))
            .findFirst()
            .orElse(null);
    return new Project(folder, language, ManifestFile.read(manifest));
  }

  /**
   * @throws AuthoringException when it is none that can be compiled here
   */
  Language requireLanguage() throws AuthoringException {
    if (language == null) {
      throw new AuthoringException(
          "%s has none of %s: compile it with the tools of its language, then give --module"
              .formatted(
                  folder,
                  Arrays.stream(Language.values())
                      .map(Language::source)
                      .collect(Collectors.joining(", "))));
    }
    return language;
  }

  /** Where its module is built. */
  public Path module() {
    return folder.resolve("build").resolve(manifest.manifest().id() + ".wasm").normalize();
  }

  /** Where it is written down which sources {@link #module} was built from. */
  Path sourcesFile() {
    return folder.resolve("build").resolve("sources.sha256");
  }

  /**
   * The hash of each file that goes into the module, in the format of {@code sha256sum}: it finds
   * out whether a module that is kept beside its sources was built from them.
   */
  String sources() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      List<Path> sources =
          files
              .filter(Files::isRegularFile)
              .filter(file -> isSource(folder.relativize(file)))
              .sorted()
              .toList();
      var text = new StringBuilder();
      for (Path source : sources) {
        text.append(Sha256.hex(Files.readAllBytes(source)))
            .append("  ")
            .append(folder.relativize(source).toString().replace('\\', '/'))
            .append('\n');
      }
      return text.toString();
    }
  }

  private static boolean isSource(Path file) {
    String name = file.getFileName().toString();
    return !MADE.contains(file.getName(0).toString())
        && (ManifestFile.NAMES.contains(name)
            || name.endsWith(".c")
            || name.endsWith(".h")
            || name.endsWith(".ts")
            || name.endsWith(".mjs")
            || name.endsWith(".rs")
            || name.equals("Cargo.toml")
            || name.equals("package.json"));
  }
}
