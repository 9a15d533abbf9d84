package dev.viesti.ops.api;

import dev.viesti.dispatcher.AppView;
import dev.viesti.dispatcher.KvKey;
import dev.viesti.dispatcher.KvValue;
import dev.viesti.dispatcher.PluginHealth;
import dev.viesti.dispatcher.PluginRelease;
import dev.viesti.dispatcher.PluginSummary;
import dev.viesti.dispatcher.PluginUpload;
import dev.viesti.dispatcher.PluginView;
import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.RefusedException;
import dev.viesti.dispatcher.Viesti;
import dev.viesti.dispatcher.plugin.PluginMetrics;
import dev.viesti.dispatcher.plugin.manifest.MalformedManifestException;
import dev.viesti.dispatcher.plugin.manifest.ManifestReader;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The plugins and values of a {@link FakeViesti}: kept in memory, initialized by saying so. */
abstract class FakePluginDoor implements Viesti {
  public final AtomicReference<String> lastPrincipal = new AtomicReference<>("nobody");
  public final AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
  public final AtomicReference<@Nullable PluginUpload> lastUpload = new AtomicReference<>();
  public volatile Payload reply = Payload.ofJson("{}");
  public volatile @Nullable String sick;

  private final ConcurrentNavigableMap<String, PluginView> plugins = new ConcurrentSkipListMap<>();
  private final ConcurrentNavigableMap<String, KvValue> values = new ConcurrentSkipListMap<>();

  abstract AppView existing(AppId app);

  @Override
  public CompletionStage<PluginView> putPlugin(
      AppId app, PluginId id, PluginUpload upload, @Nullable Long expected, String principal) {
    return does(
        () -> {
          existing(app);
          lastPrincipal.set(principal);
          lastUpload.set(upload);
          PluginView before = plugins.get(app + "/" + id);
          require(expected, before == null ? 0 : before.revision());
          var release =
              new PluginRelease(
                  "ab".repeat(32), upload.module().size(), manifest(upload), upload.config());
          return put(app, id, before, release, true);
        });
  }

  private static Manifest manifest(PluginUpload upload) {
    PluginUpload.ManifestText text = upload.manifest();
    if (text == null) {
      throw new RefusedException(new Refusal.Invalid("/manifest", "there is no manifest"));
    }
    try {
      return ManifestReader.read(text.text().bytes(), text.format());
    } catch (MalformedManifestException wrong) {
      throw new RefusedException(
          new Refusal.Malformed(
              "the manifest is not valid",
              wrong.faults().stream()
                  .map(fault -> new Refusal.Fault("/manifest" + fault.path(), fault.message()))
                  .toList()));
    }
  }

  private PluginView put(
      AppId app, PluginId id, @Nullable PluginView before, PluginRelease release, boolean enabled) {
    var view =
        new PluginView(
            id,
            new PluginView.Version(release, FakeViesti.THEN, "admin"),
            null,
            before == null ? null : before.current(),
            enabled,
            null,
            null,
            0,
            before == null ? 1 : before.revision() + 1,
            FakeViesti.THEN,
            FakeViesti.THEN);
    plugins.put(app + "/" + id, view);
    return view;
  }

  @Override
  public CompletionStage<PluginView> getPlugin(AppId app, PluginId id) {
    return does(() -> existing(app, id));
  }

  @Override
  public CompletionStage<List<PluginSummary>> listPlugins(AppId app) {
    return does(
        () -> {
          existing(app);
          return plugins.subMap(app + "/", app + "0").values().stream()
              .map(PluginView::summary)
              .toList();
        });
  }

  @Override
  public CompletionStage<PluginView> enablePlugin(AppId app, PluginId id, String principal) {
    return does(() -> put(app, id, existing(app, id), existing(app, id).shown().release(), true));
  }

  @Override
  public CompletionStage<PluginView> disablePlugin(AppId app, PluginId id, String principal) {
    return does(() -> put(app, id, existing(app, id), existing(app, id).shown().release(), false));
  }

  @Override
  public CompletionStage<PluginView> rollbackPlugin(AppId app, PluginId id, String principal) {
    return does(
        () -> {
          PluginView before = existing(app, id);
          PluginView.Version version = before.previous();
          if (version == null) {
            throw new RefusedException(new Refusal.Conflict("there is no version before"));
          }
          return put(app, id, before, version.release(), true);
        });
  }

  @Override
  public CompletionStage<PluginView> configurePlugin(
      AppId app, PluginId id, @Nullable String config, @Nullable Long expected, String principal) {
    return does(
        () -> {
          PluginView before = existing(app, id);
          require(expected, before.revision());
          return put(app, id, before, before.shown().release().withConfig(config), true);
        });
  }

  @Override
  public CompletionStage<Void> deletePlugin(
      AppId app, PluginId id, boolean purge, String principal) {
    return does(
        () -> {
          if (!purge) {
            existing(app, id);
          }
          plugins.remove(app + "/" + id);
          return nothing();
        });
  }

  @Override
  public CompletionStage<PluginHealth> pluginHealth(AppId app, PluginId id) {
    return does(
        () -> {
          existing(app, id);
          return new PluginHealth(sick);
        });
  }

  @Override
  public CompletionStage<PluginMetrics> pluginMetrics(AppId app, PluginId id) {
    return does(
        () -> {
          existing(app, id);
          return new PluginMetrics(
              FakeViesti.THEN, 3, Map.of("fuel", 1L), 5, 99, 65_536, 1, "fuel", null, null);
        });
  }

  @Override
  public CompletionStage<Payload> invoke(
      AppId app, TriggerId trigger, Payload payload, String principal) {
    return does(() -> payload.isEmpty() ? reply : payload);
  }

  @Override
  public CompletionStage<KvValue> getValue(AppId app, String collection, String key) {
    return does(() -> existing(place(app, collection, key)));
  }

  @Override
  public CompletionStage<Long> putValue(
      AppId app, String collection, String key, Payload value, @Nullable Long expected) {
    return does(
        () -> {
          String place = place(app, collection, key);
          KvValue before = values.get(place);
          long version = before == null ? 0 : before.version();
          require(expected, version);
          values.put(place, new KvValue(value, version + 1, FakeViesti.THEN));
          return version + 1;
        });
  }

  @Override
  public CompletionStage<Void> deleteValue(
      AppId app, String collection, String key, @Nullable Long expected) {
    return does(
        () -> {
          String place = place(app, collection, key);
          require(expected, existing(place).version());
          values.remove(place);
          return nothing();
        });
  }

  @Override
  public CompletionStage<List<KvKey>> listValues(
      AppId app, String collection, String prefix, @Nullable String after, int limit) {
    String begin = place(app, collection, "");
    return does(
        () ->
            values.tailMap(begin + (after == null ? "" : after), false).entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(begin + prefix))
                .limit(limit)
                .map(
                    entry ->
                        new KvKey(
                            entry.getKey().substring(begin.length()),
                            entry.getValue().version(),
                            entry.getValue().data().size(),
                            entry.getValue().updatedAt()))
                .toList());
  }

  private String place(AppId app, String collection, String key) {
    existing(app);
    return app + "/" + collection + "/" + key;
  }

  private KvValue existing(String place) {
    KvValue value = values.get(place);
    if (value == null) {
      throw new RefusedException(new Refusal.NotFound("there is no value " + place));
    }
    return value;
  }

  private PluginView existing(AppId app, PluginId id) {
    existing(app);
    PluginView view = plugins.get(app + "/" + id);
    if (view == null) {
      throw new RefusedException(new Refusal.NotFound("there is no plugin " + id));
    }
    return view;
  }

  static void require(@Nullable Long expected, long revision) {
    if (expected != null && expected != revision) {
      throw new RefusedException(new Refusal.PreconditionFailed(revision));
    }
  }

  interface Deed<T> {
    T run();
  }

  <T> CompletionStage<T> does(Deed<T> deed) {
    RuntimeException broken = failure.get();
    if (broken != null) {
      return CompletableFuture.failedStage(broken);
    }
    try {
      return CompletableFuture.completedStage(deed.run());
    } catch (RefusedException refused) {
      return CompletableFuture.failedStage(refused);
    }
  }

  @SuppressWarnings("NullAway") // Void has no other value
  static Void nothing() {
    return null;
  }
}
