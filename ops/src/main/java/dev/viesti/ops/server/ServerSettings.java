package dev.viesti.ops.server;

import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How a server runs.
 *
 * @param adminKey the key of the principal {@code admin}; on an address that others can reach it
 *     has at least 16 characters
 * @param allowPrivateTargets whether webhooks may go to loopback and private networks: for a
 *     laptop; on a shared server it lets whoever may register triggers reach what is behind the
 *     firewall
 * @param nodeName for logs; 1 to 64 characters of {@code [A-Za-z0-9._-]}
 */
public record ServerSettings(
    Http http,
    Storage storage,
    Peers peers,
    String adminKey,
    boolean allowPrivateTargets,
    String nodeName) {
  public static final int PORT_DEFAULT = 8080;
  public static final int MANAGEMENT_PORT_DEFAULT = 7626;
  public static final int CLUSTER_PORT_DEFAULT = 17355;
  public static final String LOOPBACK = "127.0.0.1";

  /** About 80 bits when it is random base64: not to be guessed over a network. */
  private static final int KEY_MIN = 16;

  private static final int KEY_MAX = 512;
  private static final Pattern NODE_NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  /**
   * Where HTTP is served. Port 0 takes a free one.
   *
   * @param host address that the API is bound to. Keys and events are in the clear: on anything but
   *     loopback put a proxy with TLS before it
   * @param managementHost address that management is bound to. It asks for no key: loopback unless
   *     probes come from elsewhere
   */
  public record Http(String host, int port, String managementHost, int managementPort) {
    /**
     * @throws IllegalArgumentException naming the port that is out of its bounds
     */
    public Http {
      requirePort("port", port);
      requirePort("management port", managementPort);
      if (port != 0 && port == managementPort) {
        throw new IllegalArgumentException("port and management port are both " + port);
      }
    }
  }

  /**
   * Where data is kept.
   *
   * @param dataDir of the embedded PostgreSQL; not used with a database of your own
   * @param databaseUrl {@code jdbc:postgresql://host/db} or {@code postgres://user:pw@host/db};
   *     null means the embedded one
   * @param databaseUser null when the URL names one
   */
  public record Storage(
      Path dataDir,
      @Nullable String databaseUrl,
      @Nullable String databaseUser,
      @Nullable String databasePassword) {
    /** Embedded. */
    public static Storage in(Path dataDir) {
      return new Storage(dataDir, null, null, null);
    }

    /** Without the password, which the URL may hold as well. */
    @Override
    public String toString() {
      return databaseUrl == null ? "Storage[dataDir=" + dataDir + "]" : "Storage[a database]";
    }
  }

  /**
   * How other nodes reach this one. Nodes trust each other: the port belongs into a network that is
   * theirs alone.
   *
   * @param host address by which others reach this node, and to which it is bound
   * @param port 0 takes a free one: for a node that is alone
   * @param seedNodes {@code host:port} of nodes to join, in the same order on all of them; the
   *     first one forms the cluster when nobody answers it. Empty: a cluster of its own
   */
  public record Peers(String host, int port, List<String> seedNodes) {
    private static final Pattern SEED = Pattern.compile("(\\[[0-9a-fA-F:]+]|[^:/@\\s]+):\\d{1,5}");

    /**
     * @throws IllegalArgumentException naming what is out of its bounds
     */
    public Peers {
      requirePort("cluster port", port);
      seedNodes = List.copyOf(seedNodes);
      for (String seed : seedNodes) {
        if (!SEED.matcher(seed).matches()) {
          throw new IllegalArgumentException("a seed node is host:port, not '" + seed + "'");
        }
      }
    }

    /** A node without others. */
    public static Peers none() {
      return new Peers(LOOPBACK, 0, List.of());
    }
  }

  /**
   * @throws IllegalArgumentException saying what is wrong
   */
  public ServerSettings {
    if (adminKey.isBlank() || adminKey.length() > KEY_MAX) {
      throw new IllegalArgumentException("the admin key has 1 to " + KEY_MAX + " characters");
    }
    if (adminKey.length() < KEY_MIN && !isLoopback(http.host())) {
      throw new IllegalArgumentException(
          "an admin key of less than %d characters is for loopback only, not for %s"
              .formatted(KEY_MIN, http.host()));
    }
    if (!NODE_NAME.matcher(nodeName).matches()) {
      throw new IllegalArgumentException(
          "a node name is 1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-'");
    }
  }

  /** For a laptop: loopback, embedded database, alone. */
  public static ServerSettings dev(Path dataDir, int port, int managementPort, String adminKey) {
    return new ServerSettings(
        new Http(LOOPBACK, port, LOOPBACK, managementPort),
        Storage.in(dataDir),
        Peers.none(),
        adminKey,
        true,
        "dev");
  }

  /** Without the key. */
  @Override
  public String toString() {
    return "ServerSettings[" + nodeName + ", " + http + ", " + storage + ", " + peers + "]";
  }

  private static boolean isLoopback(String host) {
    return host.equals("localhost") || host.equals("::1") || host.startsWith("127.");
  }

  private static void requirePort(String name, int port) {
    if (port < 0 || port > 65_535) {
      throw new IllegalArgumentException(name + " is 0 to 65,535, not " + port);
    }
  }
}
