package dev.viesti.ops.cli;

import com.zaxxer.hikari.util.DriverDataSource;
import dev.viesti.ops.cli.launch.NodeOptions;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which PostgreSQL. The password never stands in an argument. */
final class DatabaseOptions {
  private static final String CONNECT_TIMEOUT_S = "5";
  private static final String DRIVER = "org.postgresql.Driver";

  @Option(
      names = "--database-url",
      paramLabel = "URL",
      description = "jdbc:postgresql://host:port/database, or postgresql://user@host:port/database")
  private @Nullable String url;

  @Option(
      names = "--database-user",
      paramLabel = "NAME",
      description = "the user, unless the URL names it")
  private @Nullable String user;

  @Option(
      names = "--database-password-file",
      paramLabel = "FILE",
      description = "file that holds the password; else VIESTI_DATABASE_PASSWORD")
  private @Nullable Path passwordFile;

  boolean given() {
    return url != null;
  }

  NodeOptions.External require(Terminal terminal) {
    if (url == null) {
      throw CommandFailure.usage(
          "no database: give --database-url jdbc:postgresql://host:5432/viesti (or set"
              + " VIESTI_DATABASE_URL); 'viesti dev' brings one of its own");
    }
    String password = password(terminal);
    if (url.startsWith("jdbc:postgresql:")) {
      return new NodeOptions.External(url, user, password);
    }
    return ofUri(url, password);
  }

  /** A plain connection per call, for a few statements by hand. */
  static DataSource dataSource(NodeOptions.External database) {
    var properties = new Properties();
    properties.setProperty("connectTimeout", CONNECT_TIMEOUT_S);
    properties.setProperty("ApplicationName", "viesti-cli");
    try {
      return new DriverDataSource(
          database.jdbcUrl(), DRIVER, properties, database.user(), database.password());
    } catch (RuntimeException malformed) {
      throw CommandFailure.usage(
          "the database URL is malformed: it looks like jdbc:postgresql://host:5432/viesti");
    }
  }

  /** The form that libpq and most hosting providers use. */
  private NodeOptions.External ofUri(String text, @Nullable String password) {
    try {
      URI uri = new URI(text);
      if (Set.of("postgresql", "postgres").contains(String.valueOf(uri.getScheme()))
          && uri.getHost() != null) {
        String[] userInfo =
            uri.getUserInfo() == null ? new String[0] : uri.getUserInfo().split(":", 2);
        String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
        String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
        return new NodeOptions.External(
            "jdbc:postgresql://" + uri.getHost() + port + uri.getRawPath() + query,
            user == null && userInfo.length > 0 ? userInfo[0] : user,
            password == null && userInfo.length > 1 ? userInfo[1] : password);
      }
    } catch (URISyntaxException malformed) {
      // falls through to the one message, which does not repeat a password
    }
    throw CommandFailure.usage(
        "the database URL is malformed: it looks like jdbc:postgresql://host:5432/viesti");
  }

  private @Nullable String password(Terminal terminal) {
    if (passwordFile == null) {
      return terminal.env("VIESTI_DATABASE_PASSWORD");
    }
    try {
      return Files.readString(passwordFile).strip();
    } catch (IOException failed) {
      throw CommandFailure.usage(
          "cannot read the password from " + passwordFile + ": " + ServerOptions.reason(failed));
    }
  }
}
