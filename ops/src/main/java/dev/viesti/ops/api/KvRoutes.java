package dev.viesti.ops.api;

import dev.viesti.dispatcher.KvKey;
import dev.viesti.dispatcher.Viesti;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/** An app's values: bytes that its plugins read and write. Their versions are their ETags. */
final class KvRoutes {
  /** As of a value. */
  private static final int VALUE_BYTES_MAX = 1 << 20;

  private final Viesti viesti;
  private final Executor executor;

  KvRoutes(Viesti viesti, Executor executor) {
    this.viesti = viesti;
    this.executor = executor;
  }

  List<Route> routes() {
    String collection = "/v1/apps/{app}/kv/{collection}";
    String value = collection + "/{key}";
    return List.of(
        Route.get(collection, this::list).query("prefix", "limit", "cursor"),
        Route.get(value, this::get),
        Route.put(value, this::put).body(head -> VALUE_BYTES_MAX),
        Route.delete(value, this::delete));
  }

  private CompletionStage<ApiResponse> list(Call call) {
    // one more tells whether there is a further page, and 1,000 are the most that may be asked for
    int limit = Math.min(call.limit(), 999);
    return viesti
        .listValues(
            call.app(),
            call.text("collection"),
            call.query().getOrDefault("prefix", ""),
            call.cursor(Cursors::key),
            limit + 1)
        .thenApplyAsync(
            keys ->
                ApiResponse.json(
                    200,
                    Render.page(
                        keys, limit, Render::tree, (KvKey last) -> Cursors.ofKey(last.key()))),
            executor);
  }

  private CompletionStage<ApiResponse> get(Call call) {
    return viesti
        .getValue(call.app(), call.text("collection"), call.text("key"))
        .thenApplyAsync(
            value -> ApiResponse.data(value.data()).with("ETag", Call.etag(value.version())),
            executor);
  }

  private CompletionStage<ApiResponse> put(Call call) {
    return viesti
        .putValue(
            call.app(),
            call.text("collection"),
            call.text("key"),
            call.body(),
            call.expectedRevision())
        .thenApplyAsync(
            version -> ApiResponse.noContent().with("ETag", Call.etag(version)), executor);
  }

  private CompletionStage<ApiResponse> delete(Call call) {
    return viesti
        .deleteValue(call.app(), call.text("collection"), call.text("key"), call.expectedRevision())
        .thenApplyAsync(done -> ApiResponse.noContent(), executor);
  }
}
