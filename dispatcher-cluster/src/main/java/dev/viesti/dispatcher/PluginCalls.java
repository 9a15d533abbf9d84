package dev.viesti.dispatcher;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.viesti.dispatcher.PluginUpload.ManifestText;
import dev.viesti.dispatcher.Refusal.Fault;
import dev.viesti.dispatcher.app.PluginRequest;
import dev.viesti.dispatcher.json.Json;
import dev.viesti.dispatcher.plugin.ConfigCheck;
import dev.viesti.dispatcher.plugin.CustomSections;
import dev.viesti.dispatcher.plugin.PluginMetrics;
import dev.viesti.dispatcher.plugin.Plugins;
import dev.viesti.dispatcher.plugin.manifest.MalformedManifestException;
import dev.viesti.dispatcher.plugin.manifest.ManifestReader;
import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.persistence.plugin.ArtifactRepository;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.plugin.PluginLimits;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * Plugins, as the door sees them. What an upload says of itself is checked on the node that it came
 * to, which also stores its module; then the app decides, wherever it lives.
 */
final class PluginCalls {
  /**
   * Of a manifest as JSON: a view of a plugin has up to three of them, each with its configuration,
   * and has to fit into one message between nodes, 1 MiB.
   */
  private static final int MANIFEST_BYTES_MAX = 192 << 10;

  /** What the app does before and after an {@code init}: it waits for its epoch, and writes. */
  private static final Duration BESIDE_INIT = Duration.ofSeconds(30);

  /** The longest call that a plugin's limits allow, and some time for the way. */
  private static final Duration INVOKE_PATIENCE = Duration.ofMinutes(5).plus(BESIDE_INIT);

  /** As large as an event's data: a reply and a payload each fit into a message between nodes. */
  static final int PAYLOAD_BYTES_MAX = 256 << 10;

  private final AppCalls calls;
  private final Plugins runtime;
  private final ArtifactRepository artifacts;

  PluginCalls(AppCalls calls, Plugins runtime, ArtifactRepository artifacts) {
    this.calls = calls;
    this.runtime = runtime;
    this.artifacts = artifacts;
  }

  // ---- uploads

  /** Of an app that exists. */
  CompletionStage<PluginView> put(
      AppId app,
      PluginId id,
      PluginUpload upload,
      @Nullable Long expectedRevision,
      String principal) {
    return calls
        .read(() -> prepare(id, upload))
        .thenCompose(
            release -> {
              PluginLimits limits = release.manifest().limits();
              return calls.ask(
                  app,
                  Answer.OnePlugin.class,
                  limits.timeout().plus(BESIDE_INIT),
                  replyTo ->
                      new PluginRequest.PutPlugin(
                          id, release, expectedRevision, principal, replyTo));
            })
        .thenApply(Answer.OnePlugin::plugin);
  }

  private PluginRelease prepare(PluginId id, PluginUpload upload)
      throws SQLException, InterruptedException {
    Manifest manifest = manifest(id, upload);
    requireFit(manifest, upload.config());
    byte[] module = upload.module().bytes();
    try {
      runtime.check(manifest, module);
    } catch (InvalidModuleException wrong) {
      throw new RefusedException(
          new Refusal.Invalid("/module", String.valueOf(wrong.getMessage())));
    }
    return new PluginRelease(artifacts.put(module), module.length, manifest, upload.config());
  }

  private static Manifest manifest(PluginId id, PluginUpload upload) {
    ManifestText text = upload.manifest();
    if (text == null) {
      byte[] section = CustomSections.find(upload.module().bytes(), PluginUpload.SECTION);
      if (section == null) {
        throw new RefusedException(
            new Refusal.Invalid(
                "/manifest",
                "there is no manifest: send one, or put it into the module's custom section '%s'"
                    .formatted(PluginUpload.SECTION)));
      }
      text = ManifestText.guess(Payload.of(section));
    }
    try {
      Manifest manifest = ManifestReader.read(text.text().bytes(), text.format());
      if (!manifest.id().equals(id)) {
        throw new RefusedException(
            new Refusal.Invalid(
                "/manifest/id",
                "the manifest is of plugin '%s', not of '%s'".formatted(manifest.id(), id)));
      }
      requireFit(manifest);
      return manifest;
    } catch (MalformedManifestException wrong) {
      List<Fault> faults =
          wrong.faults().stream()
              .map(fault -> new Fault("/manifest" + fault.path(), fault.message()))
              .toList();
      throw new RefusedException(new Refusal.Malformed("the manifest is not valid", faults));
    }
  }

  private static void requireFit(Manifest manifest) {
    int bytes;
    try {
      bytes = Json.MAPPER.writeValueAsBytes(manifest).length;
    } catch (JsonProcessingException bug) {
      throw new IllegalStateException("a manifest that cannot be written", bug);
    }
    if (bytes > MANIFEST_BYTES_MAX) {
      throw new RefusedException(
          new Refusal.Invalid(
              "/manifest",
              "the manifest has %,d bytes as JSON, %,d are the most"
                  .formatted(bytes, MANIFEST_BYTES_MAX)));
    }
  }

  private static void requireFit(Manifest manifest, @Nullable String config) {
    Refusal misfit = ConfigCheck.misfit(manifest.configSchema(), config, "/config");
    if (misfit != null) {
      throw new RefusedException(misfit);
    }
  }

  // ---- what is installed

  CompletionStage<PluginView> one(AppId app, Function<ActorRef<Answer>, PluginRequest> request) {
    return calls
        .ask(app, Answer.OnePlugin.class, request::apply)
        .thenApply(Answer.OnePlugin::plugin);
  }

  CompletionStage<List<PluginSummary>> list(AppId app) {
    return calls
        .ask(app, Answer.Plugins.class, PluginRequest.ListPlugins::new)
        .thenApply(Answer.Plugins::plugins);
  }

  CompletionStage<Void> delete(AppId app, PluginId id, boolean purge, String principal) {
    return calls
        .ask(
            app,
            Answer.Done.class,
            replyTo -> new PluginRequest.DeletePlugin(id, purge, principal, replyTo))
        .thenApply(done -> null);
  }

  CompletionStage<PluginHealth> health(AppId app, PluginId id) {
    return calls
        .ask(app, Answer.PluginHealth.class, replyTo -> new PluginRequest.CheckHealth(id, replyTo))
        .thenApply(answer -> new PluginHealth(answer.problem()));
  }

  CompletionStage<PluginMetrics> metrics(AppId app, PluginId id) {
    return calls
        .ask(app, Answer.Metrics.class, replyTo -> new PluginRequest.ReadMetrics(id, replyTo))
        .thenApply(Answer.Metrics::metrics);
  }

  CompletionStage<Payload> invoke(AppId app, TriggerId trigger, Payload payload, String principal) {
    if (payload.size() > PAYLOAD_BYTES_MAX) {
      return CompletableFuture.failedFuture(
          new RefusedException(
              new Refusal.Invalid(
                  "",
                  "the payload has %,d bytes, %,d are the most"
                      .formatted(payload.size(), PAYLOAD_BYTES_MAX))));
    }
    return calls
        .ask(
            app,
            Answer.Invoked.class,
            INVOKE_PATIENCE,
            replyTo -> new PluginRequest.Invoke(trigger, payload, principal, replyTo))
        .thenApply(Answer.Invoked::reply);
  }
}
