package dev.viesti.dispatcher.app;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.dispatcher.PluginRelease;
import dev.viesti.dispatcher.PluginView;
import dev.viesti.dispatcher.PluginView.Status;
import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.app.PluginLifecycle.Step;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.plugin.PluginLimits;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PluginLifecycleTest {
  private static final Instant AT = Instant.parse("2026-01-01T00:00:00Z");
  private static final PluginId ID = new PluginId("orders");
  private static final String ME = "me";

  private final PluginLifecycle lifecycle =
      new PluginLifecycle(new PluginSettings(2, Duration.ofMinutes(1), Duration.ofHours(1), 1));

  static PluginRelease release(String version) {
    return release(ID, version);
  }

  static PluginRelease release(PluginId id, String version) {
    var manifest =
        new Manifest(
            id,
            "Orders",
            version,
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            null,
            PluginLimits.DEFAULT);
    return new PluginRelease("ab".repeat(32), 7, manifest, null);
  }

  /** A word for each thing that can happen; what it says of the view, or the refusal. */
  private String after(String story) {
    PluginView view = null;
    String last = "";
    for (String word : story.split(" ", -1)) {
      Step step = step(view, word, AT);
      last =
          switch (step) {
            case Step.Refused(Refusal.Conflict conflict) -> "conflict";
            case Step.Refused(Refusal.PreconditionFailed(var revision)) -> "revision " + revision;
            case Step.Refused(var other) -> other.detail();
            case Step.Unchanged() -> "unchanged";
            case Step.Changed(var event) -> {
              view = PluginLifecycle.after(view, event);
              yield "";
            }
          };
    }
    return last.isEmpty() ? describe(view) : last;
  }

  private Step step(@Nullable PluginView view, String word, Instant at) {
    return switch (word) {
      case "ok" -> lifecycle.initialized(view, at);
      case "bad" -> lifecycle.initFailed(view, "no", at);
      case "trap" -> lifecycle.trapping(view, "boom", at);
      case "well" -> lifecycle.recovered(view, at);
      case "on" -> lifecycle.enable(requireNonNull(view), at, ME);
      case "off" -> lifecycle.disable(requireNonNull(view), at, ME);
      case "back" -> lifecycle.rollBack(requireNonNull(view), at, ME);
      case "config" -> lifecycle.configure(requireNonNull(view), "{\"a\":1}", null, at, ME);
      case "none" -> lifecycle.configure(requireNonNull(view), null, null, at, ME);
      case "gone" -> lifecycle.remove(requireNonNull(view), at, ME);
      default -> upload(view, word, null, at);
    };
  }

  private Step upload(
      @Nullable PluginView view, String version, @Nullable Long expected, Instant at) {
    Map<String, PluginView> plugins = view == null ? Map.of() : Map.of(ID.value(), view);
    return lifecycle.upload(plugins, ID, release(version), expected, at, ME);
  }

  private static String describe(@Nullable PluginView view) {
    return view == null
        ? "nothing"
        : "%s %s/%s/%s %s r%d"
            .formatted(
                view.status().text(),
                version(view.current()),
                version(view.candidate()),
                version(view.previous()),
                view.problem() == null ? "-" : view.problem(),
                view.revision());
  }

  private static String version(PluginView.@Nullable Version version) {
    return version == null ? "-" : version.release().manifest().version();
  }

  @ParameterizedTest
  @CsvSource({
    "v1,                     initializing -/v1/- - r1",
    "v1 ok,                  running v1/-/- - r1",
    "v1 bad,                 failed -/v1/- no r1",
    "v1 bad v1,              initializing -/v1/- - r2",
    "v1 bad v2 ok,           running v2/-/- - r2",
    "v1 bad on,              conflict",
    "v1 bad config,          conflict",
    "v1 bad gone,            nothing",
    "v1 ok v1,               unchanged",
    "v1 ok v2,               running v1/v2/- - r2",
    "v1 ok v2 v3,            conflict",
    "v1 v1,                  conflict",
    "v1 gone,                conflict",
    "v1 off,                 conflict",
    "v1 ok v2 back,          conflict",
    "v1 ok v2 config,        conflict",
    "v1 ok v2 gone,          conflict",
    "v1 ok v2 ok,            running v2/-/v1 - r2",
    "v1 ok v2 bad,           running v1/-/- no r2",
    "v1 ok v2 bad v2,        running v1/v2/- - r3",
    "v1 ok v2 ok v3 bad,     running v2/-/v1 no r3",
    "v1 ok back,             conflict",
    "v1 ok v2 ok back,       running v1/-/v2 - r3",
    "v1 ok v2 ok back back,  running v2/-/v1 - r4",
    "v1 ok off,              disabled v1/-/- - r2",
    "v1 ok off off,          unchanged",
    "v1 ok on,               unchanged",
    "v1 ok off on,           running v1/-/- - r3",
    "v1 ok off v2,           disabled v1/v2/- - r3",
    "v1 ok off v2 ok,        disabled v2/-/v1 - r3",
    "v1 ok off trap,         unchanged",
    "v1 ok trap,             quarantined v1/-/- boom r1",
    "v1 ok trap trap,        unchanged",
    "v1 ok trap well,        running v1/-/- - r1",
    "v1 ok well,             unchanged",
    "v1 ok trap on,          running v1/-/- - r2",
    "v1 ok trap off,         disabled v1/-/- boom r2",
    "v1 ok trap v2,          quarantined v1/v2/- boom r2",
    "v1 ok trap v2 ok,       running v2/-/v1 - r2",
    "v1 ok trap v2 bad,      quarantined v1/-/- no r2",
    "v1 ok v2 ok trap back,  running v1/-/v2 - r3",
    "v1 ok config,           running v1/-/- - r2",
    "v1 ok config config,    unchanged",
    "v1 ok none,             unchanged",
    "v1 ok config v1,        running v1/v1/- - r3",
    "v1 ok gone,             nothing",
    "v1 ok ok,               unchanged",
    "v1 ok bad,              unchanged",
    "trap,                   unchanged",
    "ok,                     unchanged",
  })
  void goesFromStateToState(String story, String end) {
    assertThat(after(story.strip())).isEqualTo(end);
  }

  @Test
  void staysInQuarantineTwiceAsLongEachTimeUpToAnHour() {
    PluginView view = run(run(null, "v1", AT), "ok", AT);
    Instant now = AT;
    for (long minutes : new long[] {1, 2, 4, 8, 16, 32, 60, 60}) {
      view = run(view, "trap", now);
      Instant until = requireNonNull(requireNonNull(view).quarantinedUntil());
      assertThat(Duration.between(now, until)).isEqualTo(Duration.ofMinutes(minutes));
      assertThat(lifecycle.trapping(view, "late", until.minusNanos(1)))
          .isEqualTo(new Step.Unchanged());
      now = until;
    }
    view = run(run(view, "well", now), "trap", now);
    assertThat(requireNonNull(view).quarantinedUntil()).isEqualTo(now.plus(Duration.ofMinutes(1)));
  }

  /** Whoever lets a plugin out by hand may be wrong: its next quarantine is no first one. */
  @Test
  void remembersQuarantinesWhenItIsEnabledByHand() {
    PluginView view = run(run(run(null, "v1", AT), "ok", AT), "trap", AT);
    view = run(run(view, "on", AT), "trap", AT);
    assertThat(requireNonNull(view).quarantinedUntil()).isEqualTo(AT.plus(Duration.ofMinutes(2)));
  }

  private @Nullable PluginView run(@Nullable PluginView view, String word, Instant at) {
    return step(view, word, at) instanceof Step.Changed(var event)
        ? PluginLifecycle.after(view, event)
        : view;
  }

  @Test
  void wantsTheRevisionThatWasNamed() {
    assertThat(upload(null, "v1", 1L, AT)).isEqualTo(stale(0));
    PluginView view = run(run(null, "v1", AT), "ok", AT);
    assertThat(upload(view, "v2", 0L, AT)).isEqualTo(stale(1));
    assertThat(upload(view, "v2", 1L, AT)).isInstanceOf(Step.Changed.class);
    assertThat(lifecycle.configure(requireNonNull(view), "{}", 7L, AT, ME)).isEqualTo(stale(1));
  }

  private static Step stale(long revision) {
    return new Step.Refused(new Refusal.PreconditionFailed(revision));
  }

  @Test
  void takesOnlySoManyPlugins() {
    Map<String, PluginView> plugins = new TreeMap<>();
    for (String name : List.of("a", "b")) {
      var id = new PluginId(name);
      var step = lifecycle.upload(plugins, id, release(id, "v1"), null, AT, ME);
      assertThat(step).isInstanceOf(Step.Changed.class);
      plugins.put(name, requireNonNull(PluginLifecycle.after(null, ((Step.Changed) step).event())));
    }
    assertThat(upload(null, "v1", null, AT)).isInstanceOf(Step.Changed.class);
    assertThat(lifecycle.upload(plugins, ID, release("v1"), null, AT, ME))
        .isEqualTo(
            new Step.Refused(new Refusal.Conflict("the app has 2 plugins, which is its limit")));
  }

  @Test
  void saysWhoAskedForWhatHappensLater() {
    PluginView view =
        PluginLifecycle.after(
            null, new PluginEvent.PluginUploaded(ID, release("v1"), AT, "somebody"));
    Step step = lifecycle.initialized(view, AT);
    assertThat(step)
        .isEqualTo(new Step.Changed(new PluginEvent.PluginInitialized(ID, AT, "somebody")));
  }

  /** Whatever happens in whatever order. */
  @Test
  void keepsItsPromisesInAnyOrder() {
    String[] words = {
      "v1", "v2", "v3", "ok", "bad", "trap", "well", "on", "off", "back", "config", "none", "gone"
    };
    for (long seed = 0; seed < 300; seed++) {
      var random = new Random(seed);
      PluginView view = null;
      Instant now = AT;
      for (int n = 0; n < 200; n++) {
        String word = words[random.nextInt(words.length)];
        if (view == null && List.of("on", "off", "back", "config", "none", "gone").contains(word)) {
          continue;
        }
        PluginView was = view;
        now = now.plusSeconds(random.nextInt(100));
        Step step = step(was, word, now);
        view = step instanceof Step.Changed(var event) ? PluginLifecycle.after(was, event) : was;
        check("seed " + seed + " step " + n + " " + word, was, view, now);
      }
    }
  }

  private static void check(
      String what, @Nullable PluginView was, @Nullable PluginView view, Instant now) {
    if (view == null) {
      return;
    }
    assertThat(view.current() != null || view.candidate() != null).as(what).isTrue();
    assertThat(view.current() == null && view.previous() != null).as(what).isFalse();
    assertThat(view.status() == Status.FAILED && view.problem() == null).as(what).isFalse();
    assertThat(view.status() == Status.QUARANTINED && view.problem() == null).as(what).isFalse();
    assertThat(view.quarantinedUntil() != null && view.quarantines() == 0).as(what).isFalse();
    if (view.quarantinedUntil() != null) {
      assertThat(view.quarantinedUntil()).as(what).isBefore(now.plus(Duration.ofMinutes(61)));
    }
    if (was != null) {
      assertThat(view.revision()).as(what).isBetween(was.revision(), was.revision() + 1);
      // once something runs, nothing but an uninstall leaves the app without a version
      assertThat(was.current() != null && view.current() == null).as(what).isFalse();
    }
  }
}
