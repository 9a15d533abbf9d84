package dev.viesti.persistence.embedded;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tukaani.xz.XZInputStream;

/**
 * PostgreSQL's programs, unpacked from the archive on the class path.
 *
 * @param home holds {@code bin}, {@code lib} and {@code share}; readable by every user, because the
 *     server may run as another one
 */
record Installation(Path home) {
  private static final Logger LOG = LoggerFactory.getLogger(Installation.class);
  private static final Pattern VERSION_IN_JAR_NAME = Pattern.compile("-(\\d+(?:\\.\\d+)+)\\.jar$");
  private static final String UNPACKING = ".unpacking-";

  Path program(String name) {
    return home.resolve("bin").resolve(name);
  }

  /**
   * Unpacks the archive below {@code cache} unless that has been done before. Safe against another
   * JVM that unpacks the same at the same time: whoever renames first wins.
   */
  static Installation in(Path cache) {
    URL archive = findArchive();
    try {
      Path home = cache.resolve("pgsql-" + identify(archive));
      if (!Files.isDirectory(home)) {
        Files.createDirectories(cache);
        deleteAbandoned(cache);
        LOG.info("unpacking PostgreSQL to {}; this happens once", home);
        unpack(archive, home);
      }
      return new Installation(home);
    } catch (IOException failed) {
      throw new EmbeddedPostgresException(
          "cannot unpack PostgreSQL to %s: %s".formatted(cache, failed), failed);
    }
  }

  /** The archive's name inside the binaries' jars, or null where none is published. */
  static @Nullable String archiveName(String osName, String osArch) {
    String name = osName.toLowerCase(Locale.ROOT);
    String os = name.startsWith("linux") ? "linux" : name.startsWith("mac") ? "darwin" : null;
    String arch =
        switch (osArch) {
          case "amd64", "x86_64" -> "x86_64";
          case "aarch64", "arm64" -> "arm_64";
          default -> null;
        };
    return os == null || arch == null ? null : "postgres-" + os + "-" + arch + ".txz";
  }

  private static URL findArchive() {
    String osName = System.getProperty("os.name", "");
    String osArch = System.getProperty("os.arch", "");
    String name = archiveName(osName, osArch);
    URL archive = name == null ? null : Installation.class.getResource("/" + name);
    if (archive == null) {
      throw new EmbeddedPostgresException(
          ("This build carries no PostgreSQL for %s on %s."
                  + " Start with --database-url to use your own.")
              .formatted(osName, osArch));
    }
    return archive;
  }

  /** Version and checksum without reading the archive: another one must get another folder. */
  private static String identify(URL archive) throws IOException {
    URLConnection connection = archive.openConnection();
    if (connection instanceof JarURLConnection jar) {
      jar.setUseCaches(false);
      try (var file = jar.getJarFile()) {
        String crc = "%08x".formatted(jar.getJarEntry().getCrc());
        Matcher version = VERSION_IN_JAR_NAME.matcher(file.getName());
        return version.find() ? version.group(1) + "-" + crc : crc;
      }
    }
    return "%x-%x".formatted(connection.getContentLengthLong(), connection.getLastModified());
  }

  private static void unpack(URL archive, Path home) throws IOException {
    Path unpacking =
        home.resolveSibling(home.getFileName() + UNPACKING + ProcessHandle.current().pid());
    FileTree.delete(unpacking);
    makeDirectory(unpacking);
    try (InputStream file = archive.openStream();
        var tar =
            new TarArchiveInputStream(
                new XZInputStream(new BufferedInputStream(file, 1 << 16)), "UTF-8")) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        extract(tar, entry, unpacking);
      }
    }
    try {
      Files.move(unpacking, home, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException failed) {
      FileTree.delete(unpacking);
      if (!Files.isDirectory(home)) {
        throw failed;
      }
    }
  }

  private static void extract(TarArchiveInputStream tar, TarArchiveEntry entry, Path root)
      throws IOException {
    Path target = root.resolve(entry.getName()).normalize();
    if (!target.startsWith(root)) {
      throw new IOException("entry leaves the archive: " + entry.getName());
    }
    makeDirectory(target.getParent());
    if (entry.isDirectory()) {
      makeDirectory(target);
    } else if (entry.isSymbolicLink()) {
      Path link = target.resolveSibling(entry.getLinkName()).normalize();
      if (!link.startsWith(root)) {
        throw new IOException("link leaves the archive: " + entry.getName());
      }
      Files.createSymbolicLink(target, Path.of(entry.getLinkName()));
    } else if (entry.isLink()) {
      Files.createLink(target, root.resolve(entry.getLinkName()).normalize());
    } else {
      Files.copy(tar, target);
      boolean executable = (entry.getMode() & 0b001_000_000) != 0;
      permit(target, executable ? "rwxr-xr-x" : "rw-r--r--");
    }
  }

  /** Explicit permissions: a umask of 077 must not lock the server's user out. */
  private static void makeDirectory(@Nullable Path directory) throws IOException {
    if (directory != null && !Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
      makeDirectory(directory.getParent());
      Files.createDirectory(directory);
      permit(directory, "rwxr-xr-x");
    }
  }

  private static void permit(Path path, String permissions) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }

  /** Left over from a JVM that was killed while it unpacked: its pid ends the name. */
  private static void deleteAbandoned(Path cache) throws IOException {
    List<Path> abandoned;
    try (var files = Files.list(cache)) {
      abandoned = files.filter(Installation::isAbandoned).toList();
    }
    for (Path path : abandoned) {
      FileTree.delete(path);
    }
  }

  private static boolean isAbandoned(Path path) {
    String name = path.getFileName().toString();
    int at = name.indexOf(UNPACKING);
    return at >= 0
        && ProcessHandle.of(Long.parseLong(name.substring(at + UNPACKING.length()))).isEmpty();
  }
}
