package dev.viesti.ops.authoring;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The compilers of an author's machine. */
public final class Toolchain {
  /** Newest first: those that Debian and Ubuntu have had with a wasm32 target. */
  private static final List<String> CLANGS =
      Stream.concat(
              Stream.of("clang"),
              IntStream.iterate(21, version -> version >= 11, version -> version - 1)
                  .mapToObj(version -> "clang-" + version))
          .toList();

  private static final Pattern SEPARATOR =
      Pattern.compile(Pattern.quote(java.io.File.pathSeparator));

  private final Map<String, String> env;

  /**
   * @param env of the process: where programs are found, and {@code CLANG}
   */
  public Toolchain(Map<String, String> env) {
    this.env = env;
  }

  /** Compiles a project to a module without a manifest. */
  byte[] compile(Project project, boolean install)
      throws AuthoringException, IOException, InterruptedException {
    Path module = Files.createTempFile("viesti-", ".wasm");
    try {
      List<String> command =
          switch (project.requireLanguage()) {
            case C -> clang(project, module);
            case ASSEMBLYSCRIPT -> asc(project, module, install);
          };
      run(project.folder(), command);
      return Files.readAllBytes(module);
    } finally {
      Files.deleteIfExists(module);
    }
  }

  private List<String> clang(Project project, Path module) throws AuthoringException, IOException {
    List<String> command = new ArrayList<>();
    command.add(clang());
    command.addAll(
        List.of(
            "--target=wasm32",
            "-std=c11",
            "-O2",
            "-nostdlib",
            "-Wall",
            "-Wextra",
            "-Wno-unused-parameter",
            "-Wl,--no-entry",
            "-Wl,--strip-all",
            "-Wl,-z,stack-size=65536",
            "-o",
            module.toString()));
    try (Stream<Path> files = Files.walk(project.folder().resolve("src"))) {
      files
          .filter(file -> file.toString().endsWith(".c"))
          .map(file -> project.folder().relativize(file).toString())
          .sorted()
          .forEach(command::add);
    }
    return command;
  }

  private String clang() throws AuthoringException {
    String wanted = env.get("CLANG");
    if (wanted != null && !wanted.isEmpty()) {
      return wanted;
    }
    for (String name : CLANGS) {
      if (onPath(name) != null && (onPath("wasm-ld") != null || hasLinker(name))) {
        return name;
      }
    }
    throw new AuthoringException(
        """
        there is no clang with wasm-ld, which builds plugins in C:
          Debian, Ubuntu:  apt install clang lld
          macOS:           brew install llvm lld, then CLANG=$(brew --prefix llvm)/bin/clang
          elsewhere:       name one in CLANG\
        """);
  }

  /** Debian's come under names with their version: {@code clang-14} calls {@code wasm-ld-14}. */
  private boolean hasLinker(String clang) {
    return clang.startsWith("clang-") && onPath(clang.replace("clang", "wasm-ld")) != null;
  }

  private List<String> asc(Project project, Path module, boolean install)
      throws AuthoringException, IOException, InterruptedException {
    Path asc = project.folder().resolve("node_modules/.bin/asc");
    if (!Files.exists(asc)) {
      if (onPath("npm") == null) {
        throw new AuthoringException(
            """
            there is no npm, which installs the compiler of AssemblyScript:
              Debian, Ubuntu:  apt install nodejs npm  (Node 20 or later)
              macOS:           brew install node\
            """);
      }
      if (!install) {
        throw new AuthoringException(
            "the compiler of AssemblyScript is not installed: run npm install in "
                + project.folder()
                + ", or build with --install");
      }
      run(project.folder(), List.of("npm", "install", "--no-audit", "--no-fund"));
    }
    return List.of(
        asc.toAbsolutePath().toString(),
        Language.ASSEMBLYSCRIPT.source(),
        "--outFile",
        module.toString(),
        "--runtime",
        "stub",
        "--optimizeLevel",
        "3",
        "--shrinkLevel",
        "1",
        "--transform",
        "./exports.mjs");
  }

  private @Nullable Path onPath(String program) {
    return SEPARATOR
        .splitAsStream(env.getOrDefault("PATH", ""))
        .filter(folder -> !folder.isEmpty())
        .map(folder -> Path.of(folder).resolve(program))
        .filter(Files::isExecutable)
        .findFirst()
        .orElse(null);
  }

  /** Runs a compiler; what it says is part of the error. */
  private void run(Path folder, List<String> command)
      throws AuthoringException, IOException, InterruptedException {
    Path program = command.getFirst().contains("/") ? null : onPath(command.getFirst());
    List<String> resolved = new ArrayList<>(command);
    if (program != null) {
      resolved.set(0, program.toString());
    }
    Process process;
    try {
      process =
          new ProcessBuilder(resolved)
              .directory(folder.toAbsolutePath().toFile())
              .redirectErrorStream(true)
              .start();
    } catch (IOException missing) {
      throw new AuthoringException(
          "%s cannot be run: %s".formatted(command.getFirst(), missing.getMessage()));
    }
    String said;
    try {
      process.getOutputStream().close();
      said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new AuthoringException(
            "%s ended with %d:%n%s"
                .formatted(Path.of(command.getFirst()).getFileName(), process.exitValue(), said));
      }
    } finally {
      process.destroy();
    }
  }
}
