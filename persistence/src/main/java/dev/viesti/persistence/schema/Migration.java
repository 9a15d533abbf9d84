package dev.viesti.persistence.schema;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One step of the schema.
 *
 * @param version the file's number, from 1 without gaps
 * @param name the file
 * @param sql runs as one transaction, so without {@code begin}, {@code commit} and {@code
 *     concurrently}
 */
record Migration(int version, String name, String sql) {
  private static final Pattern NAME = Pattern.compile("V(\\d{3})__[a-z0-9_]+\\.sql");

  /** Every migration. A list, not a search: class paths cannot be listed in every packaging. */
  private static final List<String> FILES =
      List.of(
          "V001__create_tables.sql",
          "V002__clients_deferred_order.sql",
          "V003__quiet_owners.sql",
          "V004__plugins.sql",
          "V005__module_uses.sql");

  static List<Migration> all() {
    return FILES.stream().map(Migration::load).toList();
  }

  static Migration of(String name, String sql) {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("bad name of a migration: " + name);
    }
    // A checkout with other line ends is no edit.
    return new Migration(Integer.parseInt(matcher.group(1)), name, sql.replace("\r\n", "\n"));
  }

  private static Migration load(String name) {
    try (var resource = Migration.class.getResourceAsStream(name)) {
      if (resource == null) {
        throw new IllegalStateException("not on the class path: " + name);
      }
      return of(name, new String(resource.readAllBytes(), UTF_8));
    } catch (IOException failed) {
      throw new UncheckedIOException("cannot read " + name, failed);
    }
  }

  /** SHA-256 of the SQL, 64 hexadecimal digits. */
  String checksum() {
    try {
      var digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(sql.getBytes(UTF_8)));
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError("every JDK has SHA-256", impossible);
    }
  }
}
