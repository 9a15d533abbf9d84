package dev.viesti.ops.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.viesti.dispatcher.DeadLetterQuery;
import dev.viesti.dispatcher.Viesti;
import dev.viesti.ops.api.Problem.Kind;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.deadletter.Resolution;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** Dead letters: look, replay, resolve. */
final class DeadLetterRoutes {
  private static final int NOTE_MAX = 2_000;
  private static final int REPLAY_DEFAULT = 1_000;

  /** One request puts at most this many rows into the outbox; whoever has more repeats it. */
  private static final int REPLAY_MAX = 10_000;

  record Resolve(
      @JsonProperty("resolution") @Nullable Resolution resolution,
      @JsonProperty("note") @Nullable String note) {
    Resolve {
      if (resolution == null) {
        throw new IllegalArgumentException(
            "resolution is missing: give ignored, handled_by_script or handler_failed");
      }
      if (resolution == Resolution.REPLAYED) {
        throw new IllegalArgumentException("resolution is not for replaying: use :replay");
      }
      if (note != null && (note.length() > NOTE_MAX || note.indexOf('\0') >= 0)) {
        throw new IllegalArgumentException(
            "note has at most " + NOTE_MAX + " characters and no U+0000");
      }
    }
  }

  record Replay(
      @JsonProperty("trigger") @Nullable TriggerId trigger,
      @JsonProperty("limit") @Nullable Integer limit,
      @JsonProperty("dryRun") @Nullable Boolean dryRun) {
    Replay {
      if (limit != null && (limit < 1 || limit > REPLAY_MAX)) {
        throw new IllegalArgumentException("limit is 1 to " + REPLAY_MAX + ", not " + limit);
      }
    }

    int limitOrDefault() {
      return limit == null ? REPLAY_DEFAULT : limit;
    }
  }

  /** The answer of a bulk replay. */
  private record Replayed(long matched, int replayed) {}

  private final Viesti viesti;
  private final Executor executor;

  DeadLetterRoutes(Viesti viesti, Executor executor) {
    this.viesti = viesti;
    this.executor = executor;
  }

  List<Route> routes() {
    String all = "/v1/apps/{app}/dead-letters";
    return List.of(
        Route.get(all, this::list).query("resolved", "trigger", "limit", "cursor"),
        Route.get(all + ":count", this::count).query("resolved", "trigger"),
        Route.post(all + ":replay", this::replayMany).body(Route.Body.JSON),
        Route.get(all + "/{id}", this::get),
        Route.post(all + "/{id}:replay", this::replay),
        Route.post(all + "/{id}:resolve", this::resolve).body(Route.Body.JSON));
  }

  private static DeadLetterQuery query(Call call) {
    return new DeadLetterQuery(call.triggerFilter(), call.flag("resolved"));
  }

  private CompletionStage<ApiResponse> list(Call call) {
    int limit = call.limit();
    return viesti
        .listDeadLetters(call.app(), query(call), call.cursor(Cursors::uuid), limit + 1)
        .thenApplyAsync(
            found ->
                ApiResponse.json(
                    200,
                    Render.page(found, limit, Render::deadLetter, last -> Cursors.of(last.id()))),
            executor);
  }

  private CompletionStage<ApiResponse> count(Call call) {
    return viesti
        .countDeadLetters(call.app(), query(call))
        .thenApplyAsync(count -> ApiResponse.json(200, Map.of("count", count)), executor);
  }

  private CompletionStage<ApiResponse> get(Call call) {
    return viesti
        .getDeadLetter(call.app(), call.uuid())
        .thenApplyAsync(found -> ApiResponse.json(200, Render.deadLetter(found)), executor);
  }

  private CompletionStage<ApiResponse> replay(Call call) {
    return viesti
        .replayDeadLetter(call.app(), call.uuid(), call.principal())
        .thenApplyAsync(id -> ApiResponse.json(202, Map.of("delivery", id)), executor);
  }

  private CompletionStage<ApiResponse> resolve(Call call) {
    Resolve wish = JsonBody.command(call.body().bytes(), Resolve.class);
    Resolution resolution = wish.resolution();
    if (resolution == null) {
      throw Problem.at(Kind.INVALID, "/resolution", "resolution is missing").exception();
    }
    return viesti
        .resolveDeadLetter(call.app(), call.uuid(), resolution, wish.note(), call.principal())
        .thenApplyAsync(found -> ApiResponse.json(200, Render.deadLetter(found)), executor);
  }

  private CompletionStage<ApiResponse> replayMany(Call call) {
    Replay wish = JsonBody.command(call.body().bytes(), Replay.class);
    AppId app = call.app();
    DeadLetterQuery query = new DeadLetterQuery(wish.trigger(), false);
    boolean dryRun = Boolean.TRUE.equals(wish.dryRun());
    return viesti
        .countDeadLetters(app, query)
        .thenComposeAsync(
            matched -> {
              CompletionStage<Integer> replayed =
                  dryRun
                      ? CompletableFuture.completedStage(0)
                      : viesti.replayDeadLetters(
                          app, query, wish.limitOrDefault(), call.principal());
              return replayed.thenApplyAsync(
                  count -> ApiResponse.json(200, new Replayed(matched, count)), executor);
            },
            executor);
  }
}
