package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.PluginView;
import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.TriggerView;
import dev.viesti.dispatcher.filter.EventFilter;
import dev.viesti.dispatcher.filter.InvalidFilterException;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of an app's triggers: decides, and leaves it to the app to write down and answer. It
 * checks what only the owner can check, and fills in what was left out.
 */
final class Registration {
  /** Standard Webhooks asks for 24 to 64. */
  private static final int SECRET_BYTES = 32;

  /** All of an app's triggers fit into one message between nodes, 1 MiB, as their list does. */
  private static final int SCRIPT_BYTES_MAX = 512 << 10;

  /** What to do about a request. */
  sealed interface Decision {
    /** Nothing changes. */
    record Answered(Answer answer) implements Decision {}

    /** To be persisted, and answered then. */
    record Changed(AppEvent event) implements Decision {}

    /** Somebody answers later; nothing changes for now. */
    record Pending() implements Decision {}
  }

  private final AppId app;
  private final AppParts parts;

  Registration(AppId app, AppParts parts) {
    this.app = app;
    this.parts = parts;
  }

  Answer unknownApp() {
    return Answer.notFound("there is no app '%s'".formatted(app));
  }

  Answer app(AppState state) {
    return state.exists() ? new Answer.App(state.view(app)) : unknownApp();
  }

  Answer list(AppState state) {
    return state.exists()
        ? new Answer.Triggers(List.copyOf(state.triggers().values()))
        : unknownApp();
  }

  Answer get(AppState state, TriggerId id) {
    TriggerView view = state.trigger(id);
    if (view != null) {
      return new Answer.OneTrigger(view);
    }
    return state.exists() ? unknownTrigger(id) : unknownApp();
  }

  Decision put(AppState state, App.PutTrigger put, Instant now) {
    if (!state.exists()) {
      return new Decision.Answered(unknownApp());
    }
    TriggerView was = state.trigger(put.id());
    long revision = was == null ? 0 : was.revision();
    Long expected = put.expectedRevision();
    Refusal refusal =
        expected == null || expected == revision
            ? refuse(state, was, put.id(), put.trigger())
            : new Refusal.PreconditionFailed(revision);
    if (refusal != null) {
      return new Decision.Answered(new Answer.Refused(refusal));
    }
    Trigger trigger = complete(put.trigger(), was);
    if (was == null) {
      return new Decision.Changed(
          new AppEvent.TriggerRegistered(put.id(), trigger, now, put.principal()));
    }
    return was.trigger().equals(trigger)
        ? new Decision.Answered(new Answer.OneTrigger(was))
        : new Decision.Changed(
            new AppEvent.TriggerChanged(put.id(), trigger, now, put.principal()));
  }

  Decision delete(AppState state, App.DeleteTrigger delete, Instant now) {
    if (!state.exists()) {
      return new Decision.Answered(unknownApp());
    }
    return state.trigger(delete.id()) == null
        ? new Decision.Answered(unknownTrigger(delete.id()))
        : new Decision.Changed(new AppEvent.TriggerRemoved(delete.id(), now, delete.principal()));
  }

  private Answer unknownTrigger(TriggerId id) {
    return Answer.notFound("app '%s' has no trigger '%s'".formatted(app, id));
  }

  /**
   * @param was the trigger of that id so far
   * @return null when it may be registered
   */
  private @Nullable Refusal refuse(
      AppState state, @Nullable TriggerView was, TriggerId id, Trigger trigger) {
    if (was == null && state.triggers().size() >= parts.triggersMax()) {
      return new Refusal.Conflict(
          "the app has %d triggers, which is its limit".formatted(parts.triggersMax()));
    }
    String filter = trigger.filter();
    if (filter != null) {
      try {
        EventFilter.compile(filter);
      } catch (InvalidFilterException wrong) {
        return new Refusal.Invalid("/filter", String.valueOf(wrong.getMessage()));
      }
    }
    if (was == null && PluginTriggers.isReserved(id)) {
      return new Refusal.Invalid(
          "/trigger",
          "ids that begin with '%s' are those of the triggers that plugins bring along"
              .formatted(PluginView.TRIGGER_PREFIX));
    }
    if (trigger.target() instanceof Target.Plugin plugin
        && !state.plugins().containsKey(plugin.name())) {
      return new Refusal.Invalid(
          "/target/plugin/name", "app '%s' has no plugin '%s'".formatted(app, plugin.name()));
    }
    if (scriptBytes(state, id, trigger) > SCRIPT_BYTES_MAX) {
      return new Refusal.Conflict(
          "the scripts of an app have at most %d KiB together: make them shorter, or a plugin"
              .formatted(SCRIPT_BYTES_MAX >> 10));
    }
    return parts.owners().targets().check(trigger.target());
  }

  /** Of the app's scripts, if the trigger were registered; 0 when it has none of its own. */
  private static long scriptBytes(AppState state, TriggerId id, Trigger trigger) {
    return bytes(trigger) == 0
        ? 0
        : bytes(trigger)
            + state.triggers().values().stream()
                .filter(other -> !other.id().equals(id))
                .mapToLong(other -> bytes(other.trigger()))
                .sum();
  }

  private static long bytes(Trigger trigger) {
    return trigger.target() instanceof Target.Script script
        ? script.source().getBytes(StandardCharsets.UTF_8).length
        : 0;
  }

  /** A webhook without a secret keeps the one that its trigger had, or gets a new one. */
  private Trigger complete(Trigger trigger, @Nullable TriggerView was) {
    if (!(trigger.target() instanceof Target.Webhook webhook) || webhook.secret() != null) {
      return trigger;
    }
    String secret =
        was != null && was.trigger().target() instanceof Target.Webhook before
            ? before.secret()
            : freshSecret();
    return trigger.withTarget(new Target.Webhook(webhook.url(), secret));
  }

  private String freshSecret() {
    var bytes = new byte[SECRET_BYTES];
    parts.secrets().nextBytes(bytes);
    return Target.Webhook.SECRET_PREFIX + Base64.getEncoder().encodeToString(bytes);
  }
}
