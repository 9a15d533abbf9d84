package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.ops.cli.client.ApiClient;
import dev.viesti.ops.cli.client.ApiProblem;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.ops.cli.client.UnreachableException;
import dev.viesti.persistence.schema.SchemaException;
import dev.viesti.persistence.schema.SchemaMigrator;
import dev.viesti.persistence.schema.SchemaVersion;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The checks of {@code viesti doctor}. Each looks, changes nothing and names the fix. */
final class HealthCheck {
  private static final int JAVA_MIN = 21;

  /** The oldest major version that PostgreSQL still repairs. */
  private static final int POSTGRES_MIN = 14;

  /** The PostgreSQL programs (60 MB unpacked), its first files (50 MB) and a little WAL. */
  private static final long DISK_MIN_MIB = 300;

  /** WAL alone grows to 1 GiB under load with PostgreSQL's defaults. */
  private static final long DISK_COMFORT_MIB = 2_048;

  enum Level {
    OK,
    WARN,
    FAIL
  }

  /**
   * @param fix the next step; null when nothing is wrong
   */
  record Finding(Level level, String check, String detail, @Nullable String fix) {
    static Finding ok(String check, String detail) {
      return new Finding(Level.OK, check, detail, null);
    }

    static Finding warn(String check, String detail, String fix) {
      return new Finding(Level.WARN, check, detail, fix);
    }

    static Finding fail(String check, String detail, String fix) {
      return new Finding(Level.FAIL, check, detail, fix);
    }
  }

  private HealthCheck() {}

  static Finding java(Runtime.Version version) {
    String detail = version + " in " + System.getProperty("java.home");
    return version.feature() >= JAVA_MIN
        ? Finding.ok("java", detail)
        : Finding.fail(
            "java", detail, "install a JDK " + JAVA_MIN + " or newer and set JAVA_HOME to it");
  }

  static Finding port(String option, int port, boolean serverRuns) {
    if (port == 0) {
      return Finding.ok(option, "any free one");
    }
    try (var socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return Finding.ok(option, port + " is free");
    } catch (IOException taken) {
      return serverRuns
          ? Finding.ok(option, port + " is taken, and a server of Viesti runs")
          : Finding.fail(
              option,
              port + " is taken by another program",
              "end that program, or choose " + option + " 0");
    }
  }

  static List<Finding> directory(Path directory) {
    Path existing = directory;
    while (existing.getParent() != null && !Files.exists(existing)) {
      existing = existing.getParent();
    }
    if (!Files.isDirectory(existing) || !Files.isWritable(existing)) {
      return List.of(
          Finding.fail(
              "data directory",
              existing + " is not a directory that may be written",
              "choose another --data-dir, or change its owner"));
    }
    var findings = new ArrayList<Finding>();
    boolean there = existing.equals(directory);
    findings.add(Finding.ok("data directory", directory + (there ? "" : " can be created")));
    try {
      long freeMib = Files.getFileStore(existing).getUsableSpace() >> 20;
      String detail = "%,d MiB free".formatted(freeMib);
      findings.add(
          freeMib < DISK_MIN_MIB
              ? Finding.fail("disk space", detail, "make room for " + DISK_MIN_MIB + " MiB")
              : freeMib < DISK_COMFORT_MIB
                  ? Finding.warn("disk space", detail, "2 GiB let PostgreSQL work under load")
                  : Finding.ok("disk space", detail));
    } catch (IOException unknown) {
      findings.add(
          Finding.warn("disk space", "unknown: " + unknown.getMessage(), "check it by hand"));
    }
    return findings;
  }

  /** WARN means that none answers: that is all right before the first start. */
  static Finding server(ApiClient client) {
    try {
      JsonNode cluster = client.get("/v1/cluster", Map.of());
      JsonNode members = cluster.has("members") ? cluster.path("members") : cluster.path("data");
      int up = 0;
      for (JsonNode member : members) {
        boolean isUp = ClientJson.text(member, "status").equalsIgnoreCase("up");
        up += isUp && member.path("reachable").asBoolean(true) ? 1 : 0;
      }
      String detail = "%s answers, %d of %d nodes up".formatted(client.url(), up, members.size());
      return up == members.size()
          ? Finding.ok("server", detail)
          : Finding.fail("server", detail, "see the log of the node that is missing");
    } catch (UnreachableException none) {
      return Finding.warn("server", "none answers at " + client.url(), "bin/viesti dev starts one");
    } catch (ApiProblem problem) {
      boolean key = problem.status() == 401 || problem.status() == 403;
      return Finding.fail(
          "server",
          client.url() + " answers: " + problem.getMessage(),
          key ? "set VIESTI_KEY to a key of that server" : "see the log of that server");
    }
  }

  static List<Finding> database(DataSource dataSource) {
    try (Connection connection = dataSource.getConnection()) {
      int version = connection.getMetaData().getDatabaseMajorVersion();
      String detail = "PostgreSQL " + connection.getMetaData().getDatabaseProductVersion();
      Finding reachable =
          version >= POSTGRES_MIN
              ? Finding.ok("database", detail)
              : Finding.fail("database", detail, "use PostgreSQL " + POSTGRES_MIN + " or newer");
      return List.of(reachable, schema(dataSource));
    } catch (SQLException failed) {
      return List.of(
          Finding.fail(
              "database",
              "not reachable: " + failed.getMessage(),
              "check --database-url, the user, VIESTI_DATABASE_PASSWORD and pg_hba.conf"));
    }
  }

  private static Finding schema(DataSource dataSource) {
    try {
      var migrator = new SchemaMigrator(dataSource);
      long pending = migrator.status().stream().filter(SchemaVersion::isPending).count();
      if (pending > 0) {
        return Finding.warn(
            "schema", pending + " migrations pending", "'serve' runs them, or: viesti migrate");
      }
      var unused = migrator.migrate(SchemaMigrator.Mode.VALIDATE);
      return Finding.ok("schema", "current");
    } catch (SchemaException wrong) {
      return Finding.fail(
          "schema", String.valueOf(wrong.getMessage()), "viesti migrate status shows more");
    }
  }
}
