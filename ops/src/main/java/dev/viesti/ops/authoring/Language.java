package dev.viesti.ops.authoring;

import java.util.List;
import java.util.stream.Stream;

/** Languages that projects can be written in, each with the files of its template. */
public enum Language {
  C("c", "src/plugin.c"),
  ASSEMBLYSCRIPT("assemblyscript", "assembly/index.ts");

  private final String word;
  private final String source;

  Language(String word, String source) {
    this.word = word;
    this.source = source;
  }

  /** As in options. */
  public String word() {
    return word;
  }

  /** The file by which a project is known to be in this language, relative to its folder. */
  String source() {
    return source;
  }

  /** Names of the template's resources. */
  List<String> files() {
    List<String> further =
        switch (this) {
          case C -> List.of("src/viesti.h");
          case ASSEMBLYSCRIPT ->
              List.of(
                  "assembly/viesti.ts",
                  "assembly/json.ts",
                  "assembly/tsconfig.json",
                  "exports.mjs",
                  "package.json");
        };
    List<String> common = List.of("plugin.toml", "events.jsonl", "README.md", "gitignore");
    return Stream.of(List.of(source), further, common).flatMap(List::stream).toList();
  }
}
