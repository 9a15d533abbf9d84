package dev.viesti.persistence.embedded;

import java.io.OutputStream;
import java.nio.file.Path;

/**
 * The other JVM of a test: starts a server on the directory named first, then waits for its end.
 */
final class EmbeddedPostgresChild {
  private EmbeddedPostgresChild() {}

  @SuppressWarnings("SystemOut") // its parent reads it
  public static void main(String[] arguments) throws Exception {
    var settings =
        EmbeddedPostgresSettings.defaults()
            .withSharedBuffersMib(32)
            .withBinariesDir(Path.of(arguments[1]));
    try (var server = EmbeddedPostgres.start(Path.of(arguments[0]), settings)) {
      new TestDatabase(server.jdbcUrl(), server.user(), server.password())
          .execute("create table if not exists child (pid bigint)");
      System.out.println("ready " + server.port());
      System.in.transferTo(OutputStream.nullOutputStream());
    }
  }
}
