package dev.viesti.ops.server;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the settings of a server mean in the words of Pekko and of the engine. */
final class NodeConfig {
  /** The name that all actor systems of a cluster share; it stands in their addresses. */
  private static final String SYSTEM = "viesti";

  /** What a phase may take beyond the drain, so that its end is ours and not the phase's. */
  private static final Duration PHASE_MARGIN = Duration.ofSeconds(3);

  private NodeConfig() {}

  /**
   * System properties go before the settings, {@code application.conf} comes after them.
   *
   * @param drain how long requests may take to end when the node stops
   */
  static Config of(ServerSettings settings, Duration drain) {
    Map<String, Object> own = new LinkedHashMap<>();
    ServerSettings.Peers peers = settings.peers();
    own.put("pekko.remote.artery.canonical.hostname", peers.host());
    own.put("pekko.remote.artery.canonical.port", peers.port());
    own.put("pekko.cluster.seed-nodes", seedNodes(peers));

    ServerSettings.Http http = settings.http();
    String management = "pekko.management.";
    own.put(management + "http.hostname", http.managementHost());
    own.put(management + "http.bind-hostname", http.managementHost());
    own.put(management + "http.port", http.managementPort());
    own.put(management + "http.bind-port", http.managementPort());
    own.put(management + "http.route-providers-read-only", true);
    own.put(management + "health-checks.readiness-checks.viesti", ReadyCheck.class.getName());
    own.put(management + "health-checks.startup-checks.viesti", ReadyCheck.class.getName());
    // longer than a statement waits for a connection: "no" is an answer, a timeout is a 500
    own.put(management + "health-checks.check-timeout", "5s");

    own.put("viesti.webhook.allow-private-targets", settings.allowPrivateTargets());
    // the server has its own hook, which closes the database after the actor system
    own.put("pekko.coordinated-shutdown.run-by-jvm-shutdown-hook", false);
    String phase = drain.plus(PHASE_MARGIN).toMillis() + "ms";
    own.put("pekko.coordinated-shutdown.phases.service-requests-done.timeout", phase);
    return ConfigFactory.defaultOverrides()
        .withFallback(ConfigFactory.parseMap(own, "server settings"))
        .withFallback(ConfigFactory.defaultApplication());
  }

  private static List<String> seedNodes(ServerSettings.Peers peers) {
    return peers.seedNodes().stream().map(seed -> "pekko://" + SYSTEM + "@" + seed).toList();
  }
}
