package dev.viesti.ops.api;

import dev.viesti.dispatcher.Viesti;
import dev.viesti.dispatcher.cloudevents.CloudEvents;
import dev.viesti.ops.api.Problem.Kind;
import dev.viesti.ops.metrics.Metrics;
import dev.viesti.protocol.event.Payload;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The whole HTTP API. Thread-safe; nothing here blocks.
 *
 * <p>In two steps, so that a body is only read when it is wanted and no further than it may be:
 * {@link #admit} with the head, then {@link Admitted#answer} with the body.
 */
public final class Api {
  static final String REQUEST_ID = "X-Request-Id";
  private static final Set<String> METHODS = Set.of("GET", "HEAD", "PUT", "POST", "DELETE");
  private static final String ANONYMOUS = "anonymous";
  private static final Pattern REQUEST_ID_SHAPE = Pattern.compile("[A-Za-z0-9._-]{1,128}");

  /** Whose doors the API opens. */
  public record Doors(
      Viesti viesti, CloudEvents events, ClusterMembers cluster, ApiKeys keys, Metrics metrics) {}

  /** What is to be done with a request whose head was read. */
  public sealed interface Admission {}

  /** Send this; the body is not wanted. */
  public record Refused(ApiResponse response) implements Admission {}

  /** Read the body, then go on with one of these. */
  public non-sealed interface Admitted extends Admission {
    /** Largest body in bytes that may be read. */
    int bodyBytesMax();

    /** Never fails: what went wrong is in the response. */
    CompletionStage<ApiResponse> answer(byte[] body);

    /** The response when the body turned out larger than {@link #bodyBytesMax}. */
    ApiResponse tooLarge();
  }

  private final ApiSettings settings;
  private final ApiKeys keys;
  private final Metrics metrics;
  private final Router router;
  private final Executor executor;

  /**
   * @param executor runs what follows an answer of Viesti; must not be one that blocks
   */
  public Api(Doors doors, ApiSettings settings, Executor executor) {
    this.settings = settings;
    this.keys = doors.keys();
    this.metrics = doors.metrics();
    this.executor = executor;
    Viesti viesti = doors.viesti();
    List<Route> routes = new ArrayList<>();
    routes.addAll(new EventRoutes(viesti, doors.events(), settings, executor).routes());
    routes.addAll(new AppRoutes(viesti, executor).routes());
    routes.addAll(new PluginRoutes(viesti, settings, executor).routes());
    routes.addAll(new KvRoutes(viesti, executor).routes());
    routes.addAll(new DeliveryRoutes(viesti, executor).routes());
    routes.addAll(new DeadLetterRoutes(viesti, executor).routes());
    routes.addAll(new NodeRoutes(doors.cluster(), metrics, settings).routes());
    this.router = new Router(routes);
  }

  List<Route> routes() {
    return router.routes();
  }

  /** Decides by the head alone whether and how a request goes on. */
  public Admission admit(RequestHead head) {
    Track track = new Track(requestId(head), head.method(), System.nanoTime());
    try {
      Router.Match match = router.match(head);
      track.route = match.route().template();
      Route route = match.route();
      String principal = authorize(route, head);
      Map<String, String> query = Paths.query(head.query());
      requireKnown(query, route);
      int bytesMax = route.body().bytesMax(head);
      if (head.contentLength() != null && head.contentLength() > bytesMax) {
        throw EventRoutes.tooLarge(bytesMax).exception();
      }
      return new Running(track, match, query, principal, head, bytesMax);
    } catch (ProblemException refused) {
      return new Refused(track.end(refused.problem()));
    }
  }

  private String authorize(Route route, RequestHead head) {
    if (route.open()) {
      return ANONYMOUS;
    }
    String principal = keys.principal(head.headers().get("authorization"));
    if (principal == null) {
      throw Problem.of(Kind.UNAUTHORIZED, "send a valid key as Authorization: Bearer <key>")
          .with("WWW-Authenticate", "Bearer realm=\"viesti\"")
          .exception();
    }
    return principal;
  }

  private static void requireKnown(Map<String, String> query, Route route) {
    for (String name : query.keySet()) {
      if (!route.query().contains(name)) {
        String known = String.join(", ", new TreeSet<>(route.query()));
        String detail =
            "there is no parameter '%s' here%s"
                .formatted(name, known.isEmpty() ? "" : "; there are " + known);
        throw Problem.at(Kind.INVALID, "/" + name, detail).exception();
      }
    }
  }

  private static String requestId(RequestHead head) {
    String given = head.headers().get(REQUEST_ID.toLowerCase(Locale.ROOT));
    return given != null && REQUEST_ID_SHAPE.matcher(given).matches()
        ? given
        : UUID.randomUUID().toString();
  }

  /** A request on its way to its answer. */
  private final class Track {
    private final String requestId;
    private final String method;
    private final long startedNanos;

    /** The template, once it is known; one word for all paths that we do not have. */
    private String route = "unknown";

    Track(String requestId, String method, long startedNanos) {
      this.requestId = requestId;
      this.method = METHODS.contains(method) ? method : "other";
      this.startedNanos = startedNanos;
    }

    ApiResponse end(Problem problem) {
      return end(problem.response(requestId));
    }

    ApiResponse end(ApiResponse response) {
      Duration took = Duration.ofNanos(System.nanoTime() - startedNanos);
      metrics.httpRequest(method, route, response.status(), took);
      return response.with(REQUEST_ID, requestId);
    }
  }

  private final class Running implements Admitted {
    private final Track track;
    private final Router.Match match;
    private final Map<String, String> query;
    private final String principal;
    private final RequestHead head;
    private final int bytesMax;

    Running(
        Track track,
        Router.Match match,
        Map<String, String> query,
        String principal,
        RequestHead head,
        int bytesMax) {
      this.track = track;
      this.match = match;
      this.query = query;
      this.principal = principal;
      this.head = head;
      this.bytesMax = bytesMax;
    }

    @Override
    public int bodyBytesMax() {
      return bytesMax;
    }

    @Override
    public ApiResponse tooLarge() {
      return track.end(EventRoutes.tooLarge(bytesMax));
    }

    @Override
    public CompletionStage<ApiResponse> answer(byte[] body) {
      CompletableFuture<ApiResponse> answer = new CompletableFuture<>();
      Call call = new Call(head, match.parameters(), query, principal, Payload.of(body));
      try {
        // with the executor: a stage of an actor system runs plain callbacks on a thread each
        match.route().handler().answer(call).whenCompleteAsync(complete(answer), executor);
      } catch (RuntimeException refused) {
        answer.completeExceptionally(refused);
      }
      return answer
          .orTimeout(settings.requestTimeout().toMillis(), TimeUnit.MILLISECONDS)
          .handleAsync(this::end, executor);
    }

    private BiConsumer<ApiResponse, @Nullable Throwable> complete(
        CompletableFuture<ApiResponse> answer) {
      return (response, failure) -> {
        if (failure == null) {
          answer.complete(response);
        } else {
          answer.completeExceptionally(failure);
        }
      };
    }

    private ApiResponse end(@Nullable ApiResponse response, @Nullable Throwable failure) {
      if (response != null) {
        return track.end(response);
      }
      Throwable cause = failure == null ? new IllegalStateException("no answer") : failure;
      return track.end(Problems.of(cause, track.requestId));
    }
  }
}
