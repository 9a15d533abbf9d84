package dev.viesti.ops.api;

import dev.viesti.dispatcher.AppView;
import dev.viesti.dispatcher.TriggerView;
import dev.viesti.dispatcher.Viesti;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** Apps and their triggers. */
final class AppRoutes {
  private final Viesti viesti;
  private final Executor executor;

  AppRoutes(Viesti viesti, Executor executor) {
    this.viesti = viesti;
    this.executor = executor;
  }

  List<Route> routes() {
    String app = "/v1/apps/{app}";
    String trigger = app + "/triggers/{trigger}";
    return List.of(
        Route.get("/v1/apps", this::listApps).query("limit", "cursor"),
        Route.get(app, this::getApp),
        Route.put(app, this::putApp),
        Route.delete(app, this::deleteApp).query("cancelDeliveries"),
        Route.get(app + "/triggers", this::listTriggers).query("limit", "cursor"),
        Route.get(trigger, this::getTrigger),
        Route.put(trigger, this::putTrigger),
        Route.delete(trigger, this::deleteTrigger));
  }

  private CompletionStage<ApiResponse> listApps(Call call) {
    int limit = call.limit();
    return viesti
        .listApps(call.cursor(Cursors::app), limit + 1)
        .thenApplyAsync(
            apps ->
                ApiResponse.json(
                    200, Render.page(apps, limit, Render::tree, last -> Cursors.of(last.id()))),
            executor);
  }

  private CompletionStage<ApiResponse> getApp(Call call) {
    return viesti.getApp(call.app()).thenApplyAsync(app -> answer(200, app), executor);
  }

  private CompletionStage<ApiResponse> putApp(Call call) {
    AppSettings settings = JsonBody.resource(call.body().bytes(), AppSettings.class);
    return viesti
        .putApp(call.app(), settings, call.expectedRevision(), call.principal())
        .thenApplyAsync(app -> answer(app.revision() == 1 ? 201 : 200, app), executor);
  }

  private CompletionStage<ApiResponse> deleteApp(Call call) {
    boolean cancel = Boolean.TRUE.equals(call.flag("cancelDeliveries"));
    return viesti
        .deleteApp(call.app(), cancel, call.principal())
        .thenApplyAsync(done -> ApiResponse.noContent(), executor);
  }

  private CompletionStage<ApiResponse> listTriggers(Call call) {
    int limit = call.limit();
    TriggerId after = call.cursor(Cursors::trigger);
    return viesti
        .listTriggers(call.app())
        .thenApplyAsync(
            all -> {
              List<TriggerView> rest = all.stream().filter(each -> isAfter(each, after)).toList();
              return ApiResponse.json(
                  200, Render.page(rest, limit, Render::trigger, last -> Cursors.of(last.id())));
            },
            executor);
  }

  private static boolean isAfter(TriggerView trigger, @Nullable TriggerId after) {
    return after == null || trigger.id().compareTo(after) > 0;
  }

  private CompletionStage<ApiResponse> getTrigger(Call call) {
    return viesti
        .getTrigger(call.app(), call.trigger())
        .thenApplyAsync(trigger -> answer(200, trigger), executor);
  }

  private CompletionStage<ApiResponse> putTrigger(Call call) {
    return viesti
        .putTrigger(
            call.app(),
            call.trigger(),
            JsonBody.trigger(call.body().bytes()),
            call.expectedRevision(),
            call.principal())
        .thenApplyAsync(trigger -> answer(trigger.revision() == 1 ? 201 : 200, trigger), executor);
  }

  private CompletionStage<ApiResponse> deleteTrigger(Call call) {
    return viesti
        .deleteTrigger(call.app(), call.trigger(), call.principal())
        .thenApplyAsync(done -> ApiResponse.noContent(), executor);
  }

  private static ApiResponse answer(int status, AppView app) {
    return ApiResponse.json(status, Render.app(app)).with("ETag", Call.etag(app.revision()));
  }

  private static ApiResponse answer(int status, TriggerView trigger) {
    return ApiResponse.json(status, Render.trigger(trigger))
        .with("ETag", Call.etag(trigger.revision()));
  }
}
