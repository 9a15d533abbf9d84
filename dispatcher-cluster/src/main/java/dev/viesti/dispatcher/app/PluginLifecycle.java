package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.PluginRelease;
import dev.viesti.dispatcher.PluginView;
import dev.viesti.dispatcher.PluginView.Version;
import dev.viesti.dispatcher.Refusal;
import dev.viesti.protocol.plugin.PluginId;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The life of a plugin: what a request or a piece of news changes about it, and what it is after a
 * change. Decides only.
 *
 * <pre>
 * (none) ─uploaded→ initializing ─initialized→ running ⇄ disabled
 *                        └─init failed→ failed ─uploaded→ initializing
 * running ─quarantined→ quarantined ─recovered, enabled, rolled back, initialized→ running
 * running ─uploaded→ the same with a candidate ─initialized→ the candidate runs
 *                                               └─init failed→ what ran before runs on
 * </pre>
 */
final class PluginLifecycle {
  /** What is to be done. */
  sealed interface Step {
    record Refused(Refusal refusal) implements Step {}

    /** It is so already. */
    record Unchanged() implements Step {}

    record Changed(PluginEvent event) implements Step {}
  }

  private final PluginSettings settings;

  PluginLifecycle(PluginSettings settings) {
    this.settings = settings;
  }

  /**
   * @param plugins that the app has, by id
   * @param expected the revision that it must have; null: any
   */
  Step upload(
      Map<String, PluginView> plugins,
      PluginId id,
      PluginRelease release,
      @Nullable Long expected,
      Instant at,
      String by) {
    PluginView was = plugins.get(id.value());
    Refusal stale = stale(was, expected);
    if (stale != null) {
      return new Step.Refused(stale);
    }
    if (was == null && plugins.size() >= settings.pluginsMax()) {
      return conflict(
          "the app has %d plugins, which is its limit".formatted(settings.pluginsMax()));
    }
    if (was != null && was.initializing()) {
      return beingInitialized(id);
    }
    return was != null && was.current() != null && was.current().release().equals(release)
        ? new Step.Unchanged()
        : new Step.Changed(new PluginEvent.PluginUploaded(id, release, at, by));
  }

  /** The candidate has been initialized. */
  Step initialized(@Nullable PluginView was, Instant at) {
    return was == null || !was.initializing()
        ? new Step.Unchanged()
        : new Step.Changed(new PluginEvent.PluginInitialized(was.id(), at, by(was)));
  }

  Step initFailed(@Nullable PluginView was, String problem, Instant at) {
    return was == null || !was.initializing()
        ? new Step.Unchanged()
        : new Step.Changed(new PluginEvent.PluginInitFailed(was.id(), problem, at, by(was)));
  }

  Step enable(PluginView was, Instant at, String by) {
    if (was.current() == null) {
      return nothingToRun(was);
    }
    return was.enabled() && was.quarantinedUntil() == null
        ? new Step.Unchanged()
        : new Step.Changed(new PluginEvent.PluginEnabled(was.id(), at, by));
  }

  Step disable(PluginView was, Instant at, String by) {
    if (was.current() == null) {
      return nothingToRun(was);
    }
    return was.enabled()
        ? new Step.Changed(new PluginEvent.PluginDisabled(was.id(), at, by))
        : new Step.Unchanged();
  }

  Step rollBack(PluginView was, Instant at, String by) {
    if (was.initializing()) {
      return beingInitialized(was.id());
    }
    return was.previous() == null
        ? conflict("plugin '%s' has no version before this one".formatted(was.id()))
        : new Step.Changed(new PluginEvent.PluginRolledBack(was.id(), at, by));
  }

  /**
   * @param config checked against the schema of the current version
   */
  Step configure(
      PluginView was, @Nullable String config, @Nullable Long expected, Instant at, String by) {
    Refusal stale = stale(was, expected);
    if (stale != null) {
      return new Step.Refused(stale);
    }
    if (was.current() == null) {
      return nothingToRun(was);
    }
    if (was.initializing()) {
      return beingInitialized(was.id());
    }
    return Objects.equals(was.current().release().config(), config)
        ? new Step.Unchanged()
        : new Step.Changed(new PluginEvent.PluginConfigured(was.id(), config, at, by));
  }

  Step remove(PluginView was, Instant at, String by) {
    return was.initializing()
        ? beingInitialized(was.id())
        : new Step.Changed(new PluginEvent.PluginRemoved(was.id(), at, by));
  }

  /** It trapped again and again. Late news of calls that began before a quarantine is no news. */
  Step trapping(@Nullable PluginView was, String lastError, Instant at) {
    if (was == null || was.current() == null || !was.enabled()) {
      return new Step.Unchanged();
    }
    if (was.quarantinedUntil() != null && at.isBefore(was.quarantinedUntil())) {
      return new Step.Unchanged();
    }
    int times = was.quarantines() + 1;
    return new Step.Changed(
        new PluginEvent.PluginQuarantined(
            was.id(), lastError, at.plus(quarantine(times)), times, at, PluginEvent.VIESTI));
  }

  /** A call has gone well. */
  Step recovered(@Nullable PluginView was, Instant at) {
    return was == null || was.quarantinedUntil() == null
        ? new Step.Unchanged()
        : new Step.Changed(new PluginEvent.PluginRecovered(was.id(), at, PluginEvent.VIESTI));
  }

  /** How long the {@code times}th quarantine in a row lasts: doubles up to a limit. */
  private Duration quarantine(int times) {
    Duration lasts = settings.quarantineBase();
    for (int n = 1; n < times && lasts.compareTo(settings.quarantineMax()) < 0; n++) {
      lasts = lasts.multipliedBy(2);
    }
    return lasts.compareTo(settings.quarantineMax()) > 0 ? settings.quarantineMax() : lasts;
  }

  private static @Nullable Refusal stale(@Nullable PluginView was, @Nullable Long expected) {
    long revision = was == null ? 0 : was.revision();
    return expected == null || expected == revision
        ? null
        : new Refusal.PreconditionFailed(revision);
  }

  private static Step beingInitialized(PluginId id) {
    return conflict(
        "a version of plugin '%s' is being initialized: repeat this when it is done".formatted(id));
  }

  private static Step nothingToRun(PluginView was) {
    return was.initializing()
        ? beingInitialized(was.id())
        : conflict(
            "no version of plugin '%s' could be initialized (%s): upload one that can"
                .formatted(was.id(), was.problem()));
  }

  private static Step conflict(String detail) {
    return new Step.Refused(new Refusal.Conflict(detail));
  }

  private static String by(PluginView was) {
    return was.candidate() == null ? PluginEvent.VIESTI : was.candidate().by();
  }

  // ---- what it is after a change

  /**
   * @return null when it is not there any more
   */
  static @Nullable PluginView after(@Nullable PluginView was, PluginEvent event) {
    if (event instanceof PluginEvent.PluginUploaded uploaded) {
      return uploaded(was, uploaded);
    }
    if (was == null) {
      return null; // of a plugin that is not there nothing else is written down
    }
    return switch (event) {
      case PluginEvent.PluginUploaded uploaded -> uploaded(was, uploaded);
      case PluginEvent.PluginInitialized done ->
          new Change(was).versions(was.candidate(), null, was.current()).well().at(done.at());
      case PluginEvent.PluginInitFailed failed ->
          new Change(was)
              .versions(
                  was.current(), was.current() == null ? was.candidate() : null, was.previous())
              .problem(failed.problem())
              .at(failed.at());
      case PluginEvent.PluginRolledBack back ->
          new Change(was).versions(was.previous(), null, was.current()).well().asked(back.at());
      case PluginEvent.PluginEnabled on -> new Change(was).enabled(true).released().asked(on.at());
      case PluginEvent.PluginDisabled off -> new Change(was).enabled(false).asked(off.at());
      case PluginEvent.PluginConfigured changed ->
          new Change(was)
              .versions(configured(was.current(), changed), was.candidate(), was.previous())
              .asked(changed.at());
      case PluginEvent.PluginQuarantined quarantined ->
          new Change(was)
              .problem(quarantined.problem())
              .quarantined(quarantined.until(), quarantined.times())
              .at(quarantined.at());
      case PluginEvent.PluginRecovered recovered -> new Change(was).well().at(recovered.at());
      case PluginEvent.PluginRemoved removed -> null;
    };
  }

  private static PluginView uploaded(@Nullable PluginView was, PluginEvent.PluginUploaded event) {
    var candidate = new Version(event.release(), event.at(), event.by());
    if (was == null) {
      return new PluginView(
          event.id(), null, candidate, null, true, null, null, 0, 1, event.at(), event.at());
    }
    String problem = was.quarantinedUntil() == null ? null : was.problem();
    return new Change(was)
        .versions(was.current(), candidate, was.previous())
        .problem(problem)
        .asked(event.at());
  }

  private static @Nullable Version configured(
      @Nullable Version current, PluginEvent.PluginConfigured change) {
    return current == null
        ? null
        : new Version(
            current.release().withConfig(change.config()), current.installedAt(), current.by());
  }

  /** A view in the making: what is not named stays. */
  private static final class Change {
    private final PluginView was;
    private @Nullable Version current;
    private @Nullable Version candidate;
    private @Nullable Version previous;
    private boolean enabled;
    private @Nullable String problem;
    private @Nullable Instant quarantinedUntil;
    private int quarantines;

    Change(PluginView was) {
      this.was = was;
      this.current = was.current();
      this.candidate = was.candidate();
      this.previous = was.previous();
      this.enabled = was.enabled();
      this.problem = was.problem();
      this.quarantinedUntil = was.quarantinedUntil();
      this.quarantines = was.quarantines();
    }

    Change versions(
        @Nullable Version newCurrent,
        @Nullable Version newCandidate,
        @Nullable Version newPrevious) {
      current = newCurrent;
      candidate = newCandidate;
      previous = newPrevious;
      return this;
    }

    Change enabled(boolean on) {
      enabled = on;
      return this;
    }

    Change problem(@Nullable String what) {
      problem = what;
      return this;
    }

    Change quarantined(Instant until, int times) {
      quarantinedUntil = until;
      quarantines = times;
      return this;
    }

    /** Out of quarantine; should it trap again, the next one is longer. */
    Change released() {
      problem = quarantinedUntil == null ? problem : null;
      quarantinedUntil = null;
      return this;
    }

    /** Nothing is held against it any more. */
    Change well() {
      problem = null;
      quarantinedUntil = null;
      quarantines = 0;
      return this;
    }

    /** Done because somebody asked for it. */
    PluginView asked(Instant at) {
      return view(was.revision() + 1, at);
    }

    PluginView at(Instant at) {
      return view(was.revision(), at);
    }

    private PluginView view(long revision, Instant at) {
      return new PluginView(
          was.id(),
          current,
          candidate,
          previous,
          enabled,
          problem,
          quarantinedUntil,
          quarantines,
          revision,
          was.createdAt(),
          at);
    }
  }
}
