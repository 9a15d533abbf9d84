package dev.viesti.persistence.embedded;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The directory that one embedded server lives in, locked for the life of this object.
 *
 * <pre>
 * cluster/       PostgreSQL's own data directory
 * pgsql-…/       the programs, unless they are unpacked elsewhere
 * password       of user viesti, 0600
 * postgres.log   the server's log
 * viesti.lock    held by the JVM that uses the directory; contains its pid
 * </pre>
 */
final class DataDirectory implements AutoCloseable {
  /** A log that has grown beyond this is emptied at the next start. */
  private static final long LOG_BYTES_MAX = 10L << 20;

  /** 18 random bytes: 144 bits, 24 characters without padding. */
  private static final int PASSWORD_BYTES = 18;

  /**
   * Directories locked by this JVM. Process-wide because the lock is: closing any channel on the
   * lock file, even one that failed to lock, would drop the lock that the JVM already holds.
   */
  private static final Set<Path> LOCKED_HERE = ConcurrentHashMap.newKeySet();

  private final Path root;
  private final FileChannel lockChannel;

  private DataDirectory(Path root, FileChannel lockChannel) {
    this.root = root;
    this.lockChannel = lockChannel;
  }

  /**
   * Creates the directory if need be and locks it.
   *
   * @throws EmbeddedPostgresException if a living JVM, this one included, uses it already
   */
  static DataDirectory open(Path directory) {
    try {
      boolean isNew = !Files.exists(directory);
      Files.createDirectories(directory);
      Path root = directory.toRealPath();
      if (isNew) {
        // Others may pass through (the server may run as another user); cluster and password are
        // closed by their own permissions.
        Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwx--x--x"));
      }
      if (!LOCKED_HERE.add(root)) {
        throw inUse(root, "this JVM");
      }
      boolean opened = false;
      try {
        var directoryOpened = new DataDirectory(root, lock(root));
        opened = true;
        return directoryOpened;
      } finally {
        if (!opened) {
          LOCKED_HERE.remove(root);
        }
      }
    } catch (IOException failed) {
      throw new EmbeddedPostgresException(
          "cannot use %s as data directory: %s. Choose another one that this user may write."
              .formatted(directory, failed),
          failed);
    }
  }

  private static FileChannel lock(Path root) throws IOException {
    Path file = root.resolve("viesti.lock");
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    FileLock lock = null;
    try {
      lock = channel.tryLock();
      if (lock == null) {
        throw inUse(root, "the process with pid " + Files.readString(file).strip());
      }
      channel.truncate(0);
      channel.write(ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(UTF_8)));
      return channel;
    } finally {
      if (lock == null) {
        channel.close();
      }
    }
  }

  private static EmbeddedPostgresException inUse(Path root, String user) {
    return new EmbeddedPostgresException(
        "%s is in use by %s. Stop that one, or choose another data directory."
            .formatted(root, user));
  }

  Path root() {
    return root;
  }

  Path cluster() {
    return root.resolve("cluster");
  }

  Path log() {
    return root.resolve("postgres.log");
  }

  private Path passwordFile() {
    return root.resolve("password");
  }

  @Nullable String readPassword() throws IOException {
    try {
      return Files.readString(passwordFile()).strip();
    } catch (NoSuchFileException none) {
      return null;
    }
  }

  String createPassword() throws IOException {
    byte[] random = new byte[PASSWORD_BYTES];
    new SecureRandom().nextBytes(random);
    String password = Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    Path written = writePrivate("password.new", password);
    Files.move(written, passwordFile(), StandardCopyOption.ATOMIC_MOVE);
    FileTree.force(root);
    return password;
  }

  /** Writes a file below the root that only its owner can read, from its first byte on. */
  Path writePrivate(String name, String text) throws IOException {
    Path file = root.resolve(name);
    Files.deleteIfExists(file);
    Set<PosixFilePermission> ownerOnly = PosixFilePermissions.fromString("rw-------");
    Files.createFile(file, PosixFilePermissions.asFileAttribute(ownerOnly));
    try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap((text + "\n").getBytes(UTF_8)));
      channel.force(true);
    }
    return file;
  }

  /** Empties a log that has grown too long; the server appends, so this is safe at any time. */
  void boundLog() throws IOException {
    if (!Files.exists(log())) {
      // statements in error messages may carry data
      Set<PosixFilePermission> ownerOnly = PosixFilePermissions.fromString("rw-------");
      Files.createFile(log(), PosixFilePermissions.asFileAttribute(ownerOnly));
    } else if (Files.size(log()) > LOG_BYTES_MAX) {
      try (var channel = FileChannel.open(log(), StandardOpenOption.WRITE)) {
        channel.truncate(0);
      }
    }
  }

  /** The log's last lines from the given byte on, for an error message; at most 8 KiB. */
  String logTail(long from) {
    try (var file = new RandomAccessFile(log().toFile(), "r")) {
      long start = Math.max(Math.min(from, file.length()), file.length() - (8L << 10));
      byte[] bytes = new byte[(int) (file.length() - start)];
      file.seek(start);
      file.readFully(bytes);
      return new String(bytes, UTF_8).strip();
    } catch (IOException unreadable) {
      return "(" + log() + " cannot be read: " + unreadable + ")";
    }
  }

  long logLength() {
    return log().toFile().length();
  }

  Path postmasterPidFile() {
    return cluster().resolve("postmaster.pid");
  }

  /**
   * What the running, or the last crashed, server wrote about itself; null if there is none.
   *
   * @see <a href="https://www.postgresql.org/docs/17/storage-file-layout.html">postmaster.pid</a>
   */
  @Nullable PostmasterPid readPostmasterPid() {
    try {
      List<String> lines = Files.readAllLines(postmasterPidFile());
      long pid = Long.parseLong(lines.get(0).strip());
      int port = lines.size() > 3 ? Integer.parseInt(lines.get(3).strip()) : 0;
      return new PostmasterPid(pid, port);
    } catch (IOException | NumberFormatException | IndexOutOfBoundsException none) {
      return null; // absent, or being written this very moment
    }
  }

  /**
   * The lines of postmaster.pid that we need.
   *
   * @param port 0 while the server has not got that far
   */
  record PostmasterPid(long pid, int port) {}

  @Override
  public void close() {
    try {
      lockChannel.close();
    } catch (IOException failed) {
      throw new EmbeddedPostgresException("cannot unlock " + root, failed);
    } finally {
      LOCKED_HERE.remove(root);
    }
  }
}
