package dev.viesti.dispatcher;

import com.typesafe.config.Config;
import dev.viesti.protocol.handler.EventHandler;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a node needs from whoever starts it.
 *
 * @param jdbcUrl of the PostgreSQL that all nodes share; its schema {@code viesti} must be there
 * @param config overrides of {@code viesti.*} and {@code pekko.*}; without {@code
 *     pekko.cluster.seed-nodes} the node forms a cluster of its own
 * @param handlers functions that triggers may name as their target
 * @param transactionalHandlers such functions that write in the settling transaction; no name may
 *     be in both
 */
public record NodeOptions(
    String jdbcUrl,
    String dbUser,
    @Nullable String dbPassword,
    Config config,
    Map<String, EventHandler> handlers,
    Map<String, TransactionalHandler> transactionalHandlers,
    MeterRegistry meters,
    Clock clock) {
  /**
   * @throws IllegalArgumentException when a name is given twice
   */
  public NodeOptions {
    for (String name : handlers.keySet()) {
      if (transactionalHandlers.containsKey(name)) {
        throw new IllegalArgumentException(
            "handler '" + name + "' is registered twice: plain and transactional");
      }
    }
  }

  /** Without transactional handlers. */
  public NodeOptions(
      String jdbcUrl,
      String dbUser,
      @Nullable String dbPassword,
      Config config,
      Map<String, EventHandler> handlers,
      MeterRegistry meters,
      Clock clock) {
    this(jdbcUrl, dbUser, dbPassword, config, handlers, Map.of(), meters, clock);
  }

  /** The same with handlers that write in the settling transaction. */
  public NodeOptions withTransactionalHandlers(Map<String, TransactionalHandler> others) {
    return new NodeOptions(
        jdbcUrl, dbUser, dbPassword, config, handlers, Map.copyOf(others), meters, clock);
  }

  /** Without the password. */
  @Override
  public String toString() {
    return "NodeOptions[jdbcUrl=" + jdbcUrl + ", dbUser=" + dbUser + "]";
  }
}
