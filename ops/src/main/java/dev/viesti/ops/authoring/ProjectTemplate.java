package dev.viesti.ops.authoring;

import dev.viesti.protocol.plugin.PluginId;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Makes projects that build and pass their own test. */
public final class ProjectTemplate {
  /** Stands in the files of a template for the plugin's id. */
  private static final String ID = "@ID@";

  private ProjectTemplate() {}

  /**
   * Writes a project.
   *
   * @return the files, relative to {@code folder}
   * @throws AuthoringException when one of them is already there: nothing is written then
   */
  public static List<Path> write(PluginId id, Language language, Path folder)
      throws AuthoringException, IOException {
    List<Path> files = new ArrayList<>();
    for (String name : language.files()) {
      Path file = Path.of(name.equals("gitignore") ? ".gitignore" : name);
      if (Files.exists(folder.resolve(file))) {
        throw new AuthoringException(
            "%s is already there, and nothing is overwritten: name another folder with --dir"
                .formatted(folder.resolve(file)));
      }
      files.add(file);
    }
    for (int i = 0; i < files.size(); i++) {
      Path file = folder.resolve(files.get(i));
      Files.createDirectories(Objects.requireNonNull(file.getParent()));
      Files.writeString(file, text(language, language.files().get(i)).replace(ID, id.value()));
    }
    return files;
  }

  static String text(Language language, String name) throws IOException {
    String resource = language.word() + "/" + name;
    try (InputStream in = ProjectTemplate.class.getResourceAsStream(resource)) {
      return new String(
          Objects.requireNonNull(in, resource).readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
