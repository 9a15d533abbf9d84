package dev.viesti.ops.cli.launch;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a person can choose about a node; everything else is in {@code reference.conf}.
 *
 * @param allowPrivateTargets whether webhooks may point into private networks
 */
public record NodeOptions(
    Database database, Ports ports, Cluster cluster, String adminKey, boolean allowPrivateTargets) {

  /** Where the outboxes are. */
  public sealed interface Database {}

  /** A PostgreSQL of our own in this directory. */
  public record Embedded(Path dataDir) implements Database {}

  /**
   * @param jdbcUrl {@code jdbc:postgresql://host:port/database}
   * @param user null = in the URL
   * @param password null = in the URL, or none is asked for
   */
  public record External(String jdbcUrl, @Nullable String user, @Nullable String password)
      implements Database {
    /** Without the password: options are printed. */
    @Override
    public String toString() {
      return "External[jdbcUrl=" + jdbcUrl.replaceFirst("[?].*", "?…") + "]";
    }
  }

  /**
   * @param host the address on which the API listens
   * @param api 0 takes any free one
   * @param managementHost the address on which management listens; it asks for no key
   * @param management 0 takes any free one
   */
  public record Ports(String host, int api, String managementHost, int management) {}

  /**
   * @param host the name by which other nodes reach this one; null = found out
   * @param port 0 takes any free one
   * @param nodeName for people; null = made from host and process
   * @param seedNodes {@code host:port} of nodes to join; none = a cluster of its own
   */
  public record Cluster(
      @Nullable String host, int port, @Nullable String nodeName, List<String> seedNodes) {}

  /** Without the key: options are printed. */
  @Override
  public String toString() {
    return "NodeOptions[database=" + database + ", ports=" + ports + ", cluster=" + cluster + "]";
  }
}
