package dev.viesti.ops.server;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** A database as JDBC wants it. */
record DatabaseAddress(String jdbcUrl, String user, @Nullable String password) {
  private static final String JDBC = "jdbc:postgresql:";
  private static final String EXPECTED =
      "a database URL is jdbc:postgresql://host:port/name or postgres://user:password@host/name";

  /**
   * @param user goes before one that the URL names
   * @throws IllegalArgumentException without the URL, which may hold a password
   */
  static DatabaseAddress of(String url, @Nullable String user, @Nullable String password) {
    if (url.startsWith(JDBC)) {
      String named = user == null ? parameter(url, "user") : user;
      return new DatabaseAddress(
          url, required(named), password == null ? parameter(url, "password") : password);
    }
    URI uri = parse(url);
    String info = uri.getRawUserInfo() == null ? "" : uri.getRawUserInfo();
    int colon = info.indexOf(':');
    String infoUser = decode(colon < 0 ? info : info.substring(0, colon));
    String infoPassword = colon < 0 ? null : decode(info.substring(colon + 1));
    String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
    String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
    return new DatabaseAddress(
        JDBC + "//" + uri.getHost() + port + uri.getRawPath() + query,
        required(user == null ? infoUser : user),
        password == null ? infoPassword : password);
  }

  /** Without the password. */
  @Override
  public String toString() {
    int query = jdbcUrl.indexOf('?');
    return query < 0 ? jdbcUrl : jdbcUrl.substring(0, query);
  }

  private static URI parse(String url) {
    try {
      URI uri = new URI(url);
      boolean known = "postgres".equals(uri.getScheme()) || "postgresql".equals(uri.getScheme());
      if (known && uri.getHost() != null && uri.getRawPath().length() > 1) {
        return uri;
      }
    } catch (URISyntaxException notAUrl) {
      // falls through to the one message
    }
    throw new IllegalArgumentException(EXPECTED);
  }

  private static @Nullable String parameter(String url, String name) {
    int query = url.indexOf('?');
    if (query >= 0) {
      for (String pair : url.substring(query + 1).split("&", -1)) {
        if (pair.startsWith(name + "=")) {
          return decode(pair.substring(name.length() + 1));
        }
      }
    }
    return null;
  }

  private static String required(@Nullable String user) {
    if (user == null || user.isEmpty()) {
      throw new IllegalArgumentException("the database's user is missing; " + EXPECTED);
    }
    return user;
  }

  private static String decode(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }
}
