package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.PluginView;
import dev.viesti.dispatcher.app.PluginRequest.PutPlugin;
import dev.viesti.dispatcher.outbox.Statements;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.persistence.plugin.ModuleUseRepository;
import dev.viesti.persistence.plugin.ModuleUseRepository.Use;
import dev.viesti.protocol.app.AppId;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the modules that an app needs from being swept: a use is in the database before the journal
 * has the upload that needs the module, and as long as any version of the plugin does. What a crash
 * leaves too many is removed with the next change, or when the app starts after one. Belongs to one
 * {@link App} and is called on its thread only.
 */
final class ModuleUses {
  /** What became of a statement. */
  sealed interface News extends App.Command {}

  /**
   * The module of an upload may be needed: now the upload can be decided.
   *
   * @param number which one: what was begun before a restart of the app is not heard
   * @param there whether there is such a module; null when the database did not say
   */
  record Added(long number, PutPlugin put, @Nullable Boolean there) implements News {}

  /** Of what is done in the background. */
  sealed interface KeepNews extends News {}

  record Kept(Set<Use> uses, @Nullable Throwable failure) implements KeepNews {}

  record KeepAgain() implements KeepNews {}

  private static final Duration KEEP_AGAIN = Duration.ofSeconds(5);

  private final ActorContext<App.Command> context;
  private final AppId app;
  private final AppParts parts;
  private final LongSupplier journal;

  /** Uploads that are not decided yet. */
  private final Map<Long, PutPlugin> adding = new HashMap<>();

  private long added;
  private boolean keeping;
  private @Nullable Set<Use> kept;

  /**
   * @param journal the number of the app's last event
   */
  ModuleUses(ActorContext<App.Command> context, AppId app, AppParts parts, LongSupplier journal) {
    this.context = context;
    this.app = app;
    this.parts = parts;
    this.journal = journal;
  }

  /** Whether an upload is not decided yet. */
  boolean isAdding() {
    return !adding.isEmpty();
  }

  /** Comes back as {@link Added}. */
  void add(PutPlugin put) {
    long number = ++added;
    adding.put(number, put);
    kept = null; // should it be refused
    long next = journal.getAsLong() + 1;
    context.pipeToSelf(
        Statements.on(parts.owners().blocking(), () -> table().add(app, use(put), next)),
        (there, failure) -> new Added(number, put, failure == null ? there : null));
  }

  /**
   * What an upload is refused with; null when it can be decided.
   *
   * @param news ends the upload's being added
   */
  @Nullable Answer problem(Added news) {
    if (!adding.remove(news.number(), news.put())) {
      return Answer.unavailable("the app has started anew: repeat it");
    }
    if (news.there() == null) {
      return Answer.unavailable("the database did not answer: repeat it");
    }
    return news.there()
        ? null
        : Answer.conflict(
            "the module of plugin '%s' was swept meanwhile: upload it again"
                .formatted(news.put().id()));
  }

  /** Brings the database in line with what is written down, in the background. */
  void follow(AppState state) {
    Set<Use> uses = new HashSet<>(of(state));
    adding.values().forEach(put -> uses.add(use(put)));
    if (keeping || uses.equals(kept)) {
      return;
    }
    keeping = true;
    long last = journal.getAsLong();
    context.pipeToSelf(
        Statements.on(
            parts.owners().blocking(),
            () -> {
              table().keep(app, uses, last);
              return uses;
            }),
        (done, failure) -> new Kept(uses, failure));
  }

  void on(AppState state, KeepNews news) {
    switch (news) {
      case KeepAgain() -> follow(state);
      case Kept(var uses, var failure) when failure == null -> {
        keeping = false;
        kept = uses;
        follow(state);
      }
      case Kept(var uses, var failure) -> {
        keeping = false;
        context
            .getLog()
            .debug("app {} has not written down which modules it uses yet; later", app, failure);
        var unused = context.scheduleOnce(KEEP_AGAIN, context.getSelf(), new KeepAgain());
      }
    }
  }

  /** The app has been read from its journal: what was under way before is not known any more. */
  void recovered() {
    adding.clear();
    keeping = false;
    kept = null;
  }

  /** The app leaves this node. */
  void stopped() {
    adding
        .values()
        .forEach(put -> put.replyTo().tell(Answer.unavailable("the app is moving: repeat it")));
    adding.clear();
  }

  private ModuleUseRepository table() {
    return parts.plugins().uses();
  }

  private static Use use(PutPlugin put) {
    return new Use(put.id(), put.release().sha256());
  }

  private static Set<Use> of(AppState state) {
    Set<Use> uses = new HashSet<>();
    for (PluginView plugin : state.plugins().values()) {
      Stream.of(plugin.current(), plugin.candidate(), plugin.previous())
          .filter(Objects::nonNull)
          .forEach(version -> uses.add(new Use(plugin.id(), version.release().sha256())));
    }
    return uses;
  }
}
