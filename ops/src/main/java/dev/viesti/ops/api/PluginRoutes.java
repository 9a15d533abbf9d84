package dev.viesti.ops.api;

import dev.viesti.dispatcher.PluginSummary;
import dev.viesti.dispatcher.PluginUpload;
import dev.viesti.dispatcher.PluginUpload.ManifestText;
import dev.viesti.dispatcher.PluginView;
import dev.viesti.dispatcher.Viesti;
import dev.viesti.dispatcher.plugin.manifest.ManifestReader.Format;
import dev.viesti.ops.api.Multipart.Part;
import dev.viesti.ops.api.Problem.Kind;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.PluginId;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** Plugins of an app, and calls of them. */
final class PluginRoutes {
  private static final String WASM = "application/wasm";

  /** As an event's data. */
  private static final int PAYLOAD_BYTES_MAX = 256 << 10;

  private static final Set<String> PARTS = Set.of("module", "manifest", "config");

  private final Viesti viesti;
  private final int uploadBytesMax;
  private final Executor executor;

  PluginRoutes(Viesti viesti, ApiSettings settings, Executor executor) {
    this.viesti = viesti;
    this.uploadBytesMax = settings.pluginBytesMax();
    this.executor = executor;
  }

  List<Route> routes() {
    String plugins = "/v1/apps/{app}/plugins";
    String plugin = plugins + "/{plugin}";
    return List.of(
        Route.get(plugins, this::list).query("limit", "cursor"),
        Route.get(plugin, this::get),
        Route.put(plugin, this::put).body(this::uploadBytesMax),
        Route.delete(plugin, this::delete).query("purge"),
        Route.post(plugin + ":enable", this::enable),
        Route.post(plugin + ":disable", this::disable),
        Route.post(plugin + ":rollback", this::rollBack),
        Route.put(plugin + "/config", this::configure),
        Route.get(plugin + "/health", this::health),
        Route.get(plugin + "/metrics", this::metrics),
        Route.post("/v1/apps/{app}/invoke/{trigger}", this::invoke)
            .body(head -> PAYLOAD_BYTES_MAX));
  }

  private CompletionStage<ApiResponse> list(Call call) {
    int limit = call.limit();
    PluginId after = call.cursor(Cursors::plugin);
    return viesti
        .listPlugins(call.app())
        .thenApplyAsync(
            all -> {
              List<PluginSummary> rest =
                  all.stream()
                      .filter(each -> after == null || each.id().compareTo(after) > 0)
                      .toList();
              return ApiResponse.json(
                  200, Render.page(rest, limit, Render::tree, last -> Cursors.of(last.id())));
            },
            executor);
  }

  private CompletionStage<ApiResponse> get(Call call) {
    return answer(viesti.getPlugin(call.app(), call.plugin()));
  }

  // ---- installing

  private int uploadBytesMax(RequestHead head) {
    String type = head.mediaType();
    if (type.equals(Multipart.MEDIA_TYPE) || type.equals(WASM)) {
      return uploadBytesMax;
    }
    throw Route.Body.unsupported(head, Multipart.MEDIA_TYPE + ", " + WASM);
  }

  private CompletionStage<ApiResponse> put(Call call) {
    return viesti
        .putPlugin(
            call.app(), call.plugin(), upload(call), call.expectedRevision(), call.principal())
        .thenApplyAsync(plugin -> answer(plugin.revision() == 1 ? 201 : 200, plugin), executor);
  }

  private static PluginUpload upload(Call call) {
    if (call.head().mediaType().equals(WASM)) {
      return new PluginUpload(call.body(), null, null);
    }
    Map<String, Part> parts = Multipart.read(call.head().contentType(), call.body().bytes(), PARTS);
    Part module = parts.get("module");
    if (module == null) {
      throw Problem.at(Kind.INVALID, "/module", "the part module is missing").exception();
    }
    Part config = parts.get("config");
    return new PluginUpload(
        module.content(),
        manifest(parts.get("manifest")),
        config == null ? null : JsonBody.object(config.content().bytes(), "/config"));
  }

  /** By its type, by the name of its file, or by how it begins, the first that says something. */
  private static @Nullable ManifestText manifest(@Nullable Part part) {
    if (part == null) {
      return null;
    }
    Payload text = part.content();
    String file = part.fileName().toLowerCase(Locale.ROOT);
    if (part.contentType().equals("application/json") || file.endsWith(".json")) {
      return new ManifestText(text, Format.JSON);
    }
    return part.contentType().equals("application/toml") || file.endsWith(".toml")
        ? new ManifestText(text, Format.TOML)
        : ManifestText.guess(text);
  }

  private CompletionStage<ApiResponse> configure(Call call) {
    byte[] body = call.body().bytes();
    String config = body.length == 0 ? null : JsonBody.object(body, "");
    return answer(
        viesti.configurePlugin(
            call.app(), call.plugin(), config, call.expectedRevision(), call.principal()));
  }

  private CompletionStage<ApiResponse> delete(Call call) {
    boolean purge = Boolean.TRUE.equals(call.flag("purge"));
    return viesti
        .deletePlugin(call.app(), call.plugin(), purge, call.principal())
        .thenApplyAsync(done -> ApiResponse.noContent(), executor);
  }

  // ---- running

  private CompletionStage<ApiResponse> enable(Call call) {
    return answer(viesti.enablePlugin(call.app(), call.plugin(), call.principal()));
  }

  private CompletionStage<ApiResponse> disable(Call call) {
    return answer(viesti.disablePlugin(call.app(), call.plugin(), call.principal()));
  }

  private CompletionStage<ApiResponse> rollBack(Call call) {
    return answer(viesti.rollbackPlugin(call.app(), call.plugin(), call.principal()));
  }

  private CompletionStage<ApiResponse> health(Call call) {
    return viesti
        .pluginHealth(call.app(), call.plugin())
        .thenApplyAsync(health -> ApiResponse.json(200, Render.health(health)), executor);
  }

  private CompletionStage<ApiResponse> metrics(Call call) {
    return viesti
        .pluginMetrics(call.app(), call.plugin())
        .thenApplyAsync(metrics -> ApiResponse.json(200, Render.tree(metrics)), executor);
  }

  private CompletionStage<ApiResponse> invoke(Call call) {
    return viesti
        .invoke(call.app(), call.trigger(), call.body(), call.principal())
        .thenApplyAsync(ApiResponse::data, executor);
  }

  private CompletionStage<ApiResponse> answer(CompletionStage<PluginView> plugin) {
    return plugin.thenApplyAsync(view -> answer(200, view), executor);
  }

  private static ApiResponse answer(int status, PluginView plugin) {
    return ApiResponse.json(status, Render.plugin(plugin))
        .with("ETag", Call.etag(plugin.revision()));
  }
}
