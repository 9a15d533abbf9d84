package dev.viesti.ops.http;

import dev.viesti.dispatcher.Viesti;
import dev.viesti.ops.api.Api;
import dev.viesti.ops.api.ApiSettings;
import dev.viesti.ops.metrics.Metrics;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.settings.ServerSettings;

/** The API on a port of its own. */
public final class HttpServer {
  /** The API answers within its own timeout; this one only catches bodies that never end. */
  private static final Duration BODY_GRACE = Duration.ofSeconds(30);

  /**
   * Between the end of streams and that of connections. Pekko counts a request as answered when the
   * head of its answer is out, and would cut off the end of a stream that is still on its way.
   */
  private static final Duration FLUSH_TIME = Duration.ofMillis(200);

  private final ServerBinding binding;
  private final OutcomeStreams streams;
  private final Executor executor;

  private HttpServer(ServerBinding binding, OutcomeStreams streams, Executor executor) {
    this.binding = binding;
    this.streams = streams;
    this.executor = executor;
  }

  /** What the server serves. */
  public record Parts(Api api, Viesti viesti, Metrics metrics, ApiSettings settings) {}

  /**
   * Binds the port. The stage fails with {@code BindFailedException} when that cannot be done.
   *
   * @param port 0 takes a free one
   */
  public static CompletionStage<HttpServer> start(
      ActorSystem<?> system, Parts parts, String host, int port) {
    Executor executor = system.executionContext();
    OutcomeStreams streams =
        new OutcomeStreams(parts.viesti(), parts.metrics(), parts.settings(), system);
    Exchange exchange = new Exchange(parts.api(), streams, system);
    ServerSettings defaults = ServerSettings.create(system.classicSystem());
    Duration timeout = parts.settings().requestTimeout().plus(BODY_GRACE);
    ServerSettings settings =
        defaults
            .withTransparentHeadRequests(true)
            // headers as they were sent: ours are not all of those that Pekko knows
            .withParserSettings(defaults.getParserSettings().withModeledHeaderParsing(false))
            .withTimeouts(
                defaults
                    .getTimeouts()
                    .withRequestTimeout(scala.jdk.javaapi.DurationConverters.toScala(timeout)));
    return Http.get(system)
        .newServerAt(host, port)
        .withSettings(settings)
        .bind(exchange::serve)
        .thenApplyAsync(binding -> new HttpServer(binding, streams, executor), executor);
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return binding.localAddress();
  }

  /** Stops with the actor system, before the engine does: unbind, end streams, drain requests. */
  public HttpServer stopWith(ActorSystem<?> system, Duration drain) {
    CoordinatedShutdown shutdown = CoordinatedShutdown.get(system);
    shutdown.addTask(
        CoordinatedShutdown.PhaseServiceUnbind(), "viesti-http-unbind", () -> binding.unbind());
    shutdown.addTask(
        CoordinatedShutdown.PhaseServiceRequestsDone(), "viesti-http-drain", () -> drain(drain));
    return this;
  }

  /** Ends streams at once and lets requests end until {@code limit} is over. */
  public CompletionStage<Done> drain(Duration limit) {
    streams.end();
    Executor flushed =
        CompletableFuture.delayedExecutor(FLUSH_TIME.toMillis(), TimeUnit.MILLISECONDS, executor);
    return CompletableFuture.supplyAsync(() -> binding.terminate(limit), flushed)
        .thenComposeAsync(terminated -> terminated, executor)
        .thenApplyAsync(terminated -> Done.done(), executor);
  }
}
