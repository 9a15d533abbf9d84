package dev.viesti.ops.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.viesti.dispatcher.Completion;
import dev.viesti.dispatcher.DeliveryPosition;
import dev.viesti.dispatcher.DeliveryView;
import dev.viesti.dispatcher.Viesti;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** Deliveries that wait or run. */
final class DeliveryRoutes {
  private static final int ERROR_MAX = 2_000;

  /** An empty one says that it succeeded. */
  record Complete(
      @JsonProperty("error") @Nullable String error,
      @JsonProperty("retry") @Nullable Boolean retry) {
    Complete {
      if (error != null && (error.isBlank() || error.length() > ERROR_MAX)) {
        throw new IllegalArgumentException("error has 1 to " + ERROR_MAX + " characters");
      }
      if (error == null && retry != null && retry) {
        throw new IllegalArgumentException(
            "retry needs an error: what succeeded is not tried again");
      }
    }

    Completion completion() {
      return error == null
          ? Completion.SUCCEEDED
          : Completion.failed(error, retry != null && retry);
    }
  }

  private final Viesti viesti;
  private final Executor executor;

  DeliveryRoutes(Viesti viesti, Executor executor) {
    this.viesti = viesti;
    this.executor = executor;
  }

  List<Route> routes() {
    String all = "/v1/apps/{app}/deliveries";
    return List.of(
        Route.get(all, this::list).query("trigger", "limit", "cursor"),
        Route.get(all + "/{id}", this::get),
        Route.post(all + "/{id}:retry", this::retry),
        Route.post(all + "/{id}:cancel", this::cancel),
        Route.post(all + "/{id}:complete", this::complete).body(Route.Body.JSON));
  }

  private CompletionStage<ApiResponse> list(Call call) {
    int limit = call.limit();
    return viesti
        .listDeliveries(call.app(), call.triggerFilter(), call.cursor(Cursors::delivery), limit + 1)
        .thenApplyAsync(
            found ->
                ApiResponse.json(
                    200, Render.page(found, limit, Render::delivery, DeliveryRoutes::cursor)),
            executor);
  }

  private static String cursor(DeliveryView last) {
    return Cursors.of(new DeliveryPosition(last.delivery().dueAt(), last.delivery().seq()));
  }

  private CompletionStage<ApiResponse> get(Call call) {
    return viesti
        .getDelivery(call.app(), call.delivery())
        .thenApplyAsync(found -> ApiResponse.json(200, Render.deliveryWithEvent(found)), executor);
  }

  private CompletionStage<ApiResponse> retry(Call call) {
    return viesti
        .retryDelivery(call.app(), call.delivery(), call.principal())
        .thenApplyAsync(found -> ApiResponse.json(200, Render.delivery(found)), executor);
  }

  private CompletionStage<ApiResponse> cancel(Call call) {
    return viesti
        .cancelDelivery(call.app(), call.delivery(), call.principal())
        .thenApplyAsync(done -> ApiResponse.noContent(), executor);
  }

  private CompletionStage<ApiResponse> complete(Call call) {
    Complete wish = JsonBody.command(call.body().bytes(), Complete.class);
    return viesti
        .completeDelivery(call.app(), call.delivery(), wish.completion(), call.principal())
        .thenApplyAsync(done -> ApiResponse.noContent(), executor);
  }
}
