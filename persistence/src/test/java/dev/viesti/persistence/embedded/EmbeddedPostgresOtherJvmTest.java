package dev.viesti.persistence.embedded;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What needs a second JVM: one to kill, one that holds the lock, one of another user. */
final class EmbeddedPostgresOtherJvmTest {
  private static final int NOBODY = 65_534;

  private final Path directory = TestPostgres.freshDirectory();
  private final Path data = directory.resolve("data");
  private final EmbeddedPostgresSettings settings = TestPostgres.settings();
  private @Nullable Process child;

  @AfterEach
  void endChild() throws Exception {
    if (child != null) {
      child.getOutputStream().close();
      child.waitFor();
    }
  }

  @Test
  void adoptsTheServerOfAKilledJvm() throws Exception {
    Process killed = startChild(List.of(), classPath(), cache());
    int port = readPort(killed);
    killed.destroyForcibly().waitFor();

    EmbeddedPostgres adopted = EmbeddedPostgres.start(data, settings);
    try (adopted) {
      assertThat(adopted.adopted()).isTrue();
      assertThat(adopted.port()).isEqualTo(port);
      assertThat(database(adopted).queryText("select count(*) from child")).isEqualTo("0");
    }
    assertThat(data.resolve("cluster/postmaster.pid")).doesNotExist();
    // Not by its pid: it may stay in the process table until its new parent looks after it.
    assertThatThrownBy(() -> database(adopted).connect()).isInstanceOf(SQLException.class);
  }

  @Test
  void movesAnAdoptedServerToTheWantedPort() throws Exception {
    Process killed = startChild(List.of(), classPath(), cache());
    int port = readPort(killed);
    killed.destroyForcibly().waitFor();

    int wanted = port == 20_001 ? 20_002 : 20_001;
    try (var moved = EmbeddedPostgres.start(data, settings.withPort(wanted))) {
      assertThat(moved.port()).isEqualTo(wanted);
      assertThat(moved.adopted()).isFalse();
      assertThat(database(moved).queryText("select count(*) from child")).isEqualTo("0");
    }
  }

  @Test
  void recoversWhenServerAndJvmWereKilled() throws Exception {
    Process killed = startChild(List.of(), classPath(), cache());
    readPort(killed);
    killed.destroyForcibly().waitFor();
    long pid = Long.parseLong(Files.readAllLines(data.resolve("cluster/postmaster.pid")).get(0));
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();

    try (var recovered = EmbeddedPostgres.start(data, settings)) {
      assertThat(database(recovered).queryText("select count(*) from child")).isEqualTo("0");
    }
  }

  @Test
  void sweepsTheServerOfAKilledTestJvm() throws Exception {
    Process killed = startChild(List.of(), classPath(), cache());
    readPort(killed);
    EmbeddedPostgres.stopOrphan(data, settings); // its JVM lives: left alone
    assertThat(data.resolve("cluster/postmaster.pid")).exists();
    killed.destroyForcibly().waitFor();
    EmbeddedPostgres.stopOrphan(data, settings);
    assertThat(data.resolve("cluster/postmaster.pid")).doesNotExist();
  }

  @Test
  void refusesTheDirectoryOfALivingJvm() throws Exception {
    Process living = startChild(List.of(), classPath(), cache());
    readPort(living);
    assertThatThrownBy(() -> EmbeddedPostgres.start(data, settings))
        .isInstanceOf(EmbeddedPostgresException.class)
        .hasMessageContaining("in use by the process with pid " + living.pid());
  }

  @Test
  void worksAsAnOrdinaryUser() throws Exception {
    assumeTrue(
        Program.run(List.of("id", "-u"), Duration.ofSeconds(5)).output().strip().equals("0"),
        "not root: every other test shows this already");
    List<String> asNobody =
        List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups");
    var probe = new ArrayList<>(asNobody);
    probe.addAll(List.of(java().toString(), "-version"));
    assumeTrue(
        Program.run(probe, Duration.ofSeconds(20)).succeeded(),
        "setpriv is missing or the JDK is not readable for others");

    String readable = copyOfClassPath();
    FileTree.giveTo(NOBODY, directory);
    Process ordinary = startChild(asNobody, readable, directory.resolve("binaries"));
    assertThat(readPort(ordinary)).isPositive();
    assertThat(FileTree.ownerOf(data.resolve("cluster"))).isEqualTo(NOBODY);
  }

  private String copyOfClassPath() throws IOException {
    Path copies = Files.createDirectory(directory.resolve("classpath"));
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    var copied = new ArrayList<String>();
    for (String entry : classPath().split(File.pathSeparator, -1)) {
      Path source = Path.of(entry);
      if (Files.exists(source)) {
        Path target = copies.resolve(copied.size() + "-" + source.getFileName());
        copyTree(source, target);
        copied.add(target.toString());
      }
    }
    return String.join(File.pathSeparator, copied);
  }

  private static void copyTree(Path source, Path target) throws IOException {
    try (var walk = Files.walk(source)) {
      for (Path path : walk.toList()) {
        Files.copy(path, target.resolve(source.relativize(path).toString()).normalize());
      }
    }
  }

  private Process startChild(List<String> prefix, String classPath, Path binaries)
      throws IOException {
    var command = new ArrayList<>(prefix);
    command.addAll(
        List.of(
            java().toString(),
            "-Xmx128m",
            "-cp",
            classPath,
            EmbeddedPostgresChild.class.getName(),
            data.toString(),
            binaries.toString()));
    Process started =
        new ProcessBuilder(command)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .directory(new File("/"))
            .start();
    child = started;
    return started;
  }

  private static int readPort(Process process) throws IOException {
    var lines = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.startsWith("ready ")) {
        return Integer.parseInt(line.substring("ready ".length()));
      }
    }
    throw new AssertionError("the child ended without being ready");
  }

  private Path cache() {
    Path binaries = settings.binariesDir();
    assertThat(binaries).isNotNull();
    return binaries == null ? directory : binaries;
  }

  private static Path java() {
    return Path.of(System.getProperty("java.home", ""), "bin", "java");
  }

  private static String classPath() {
    return System.getProperty("java.class.path", "");
  }

  private static TestDatabase database(EmbeddedPostgres server) {
    return new TestDatabase(server.jdbcUrl(), server.user(), server.password());
  }
}
