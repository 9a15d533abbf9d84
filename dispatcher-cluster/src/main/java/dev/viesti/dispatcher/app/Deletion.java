package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.outbox.OperatorRequests;
import dev.viesti.dispatcher.outbox.Outbox;
import dev.viesti.dispatcher.outbox.Owners;
import dev.viesti.dispatcher.outbox.Statements;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.protocol.app.AppId;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.persistence.typed.javadsl.Effect;
import org.apache.pekko.persistence.typed.javadsl.EffectFactories;
import org.jspecify.annotations.Nullable;

/**
 * How an app is deleted: its outbox is emptied, or found empty, and kept so; what is remembered of
 * it is forgotten; then its journal says that it is gone. In this order, so that a deletion that
 * failed half-way can be repeated. Belongs to one {@link App} and is called on its thread only.
 */
final class Deletion {
  /** What became of a step. */
  sealed interface News extends App.Command {}

  record Emptied(@Nullable Answer answer, App.DeleteApp delete) implements News {}

  record Forgotten(@Nullable Throwable failure, App.DeleteApp delete) implements News {}

  /** Emptying an outbox with a million rows takes seconds. */
  private static final Duration PURGE_TIMEOUT = Duration.ofMinutes(2);

  /** The owner only looks at what it knows. */
  private static final Duration ASK_TIMEOUT = Duration.ofSeconds(5);

  /** In batches, so that no transaction is long. */
  private static final int FORGET_BATCH = 5_000;

  private final ActorContext<App.Command> context;
  private final AppId app;
  private final AppParts parts;
  private boolean underWay;

  Deletion(ActorContext<App.Command> context, AppId app, AppParts parts) {
    this.context = context;
    this.app = app;
    this.parts = parts;
  }

  /** From its beginning until it is done, or has failed: the app takes nothing meanwhile. */
  boolean isUnderWay() {
    return underWay;
  }

  void begin(ActorRef<Outbox.Command> outbox, App.DeleteApp delete) {
    underWay = true;
    parts.locals().open(app, false);
    if (delete.cancelDeliveries()) {
      purge(outbox, delete);
    } else {
      context.ask(
          Answer.class,
          outbox,
          ASK_TIMEOUT,
          OperatorRequests.AskEmpty::new,
          (answer, failure) -> new Emptied(answer, delete));
    }
  }

  private void purge(ActorRef<Outbox.Command> outbox, App.DeleteApp delete) {
    context.ask(
        Answer.class,
        outbox,
        PURGE_TIMEOUT,
        OperatorRequests.Purge::new,
        (answer, failure) ->
            new Emptied(answer, new App.DeleteApp(true, delete.principal(), delete.replyTo())));
  }

  /**
   * Goes on after a step.
   *
   * @param deleted runs when the journal says that the app is gone
   */
  Effect<AppEvent, AppState> on(
      News news,
      EffectFactories<AppEvent, AppState> effects,
      OutboxChild outbox,
      Consumer<AppState> deleted,
      Instant now) {
    return switch (news) {
      case Emptied(Answer.Done done, var delete) -> {
        emptied(delete, outbox.ref());
        yield effects.none();
      }
      case Emptied(var answer, var delete) ->
          failed(
              answer == null ? Answer.unavailable("the outbox did not answer") : answer,
              delete,
              outbox,
              effects);
      case Forgotten(var failure, var delete) when failure != null ->
          failed(Answer.unavailable("not deleted yet: repeat it"), delete, outbox, effects);
      case Forgotten(var none, var delete) ->
          effects
              .persist((AppEvent) new AppEvent.AppDeleted(now, delete.principal()))
              .thenRun(
                  after -> {
                    underWay = false;
                    deleted.accept(after);
                    delete.replyTo().tell(new Answer.Done());
                  });
    };
  }

  /** It can be repeated; without an outbox the app starts anew for that. */
  private Effect<AppEvent, AppState> failed(
      Answer why,
      App.DeleteApp delete,
      OutboxChild outbox,
      EffectFactories<AppEvent, AppState> effects) {
    underWay = false;
    parts.locals().open(app, true);
    delete.replyTo().tell(why);
    return outbox.ref() == null ? effects.stop() : effects.none();
  }

  /**
   * The outbox is empty.
   *
   * @param outbox what is left of it: nothing after a purge
   */
  private void emptied(App.DeleteApp delete, @Nullable ActorRef<Outbox.Command> outbox) {
    if (!delete.cancelDeliveries() && outbox != null) {
      purge(outbox, delete); // nothing waits; this keeps it so
    } else {
      context.pipeToSelf(
          Statements.on(parts.owners().blocking(), this::forgetApp),
          (done, failure) -> new Forgotten(failure, delete));
    }
  }

  private boolean forgetApp() throws SQLException {
    Owners.Tables tables = parts.owners().tables();
    boolean more = true;
    while (more) {
      more =
          tables.deadLetters().purge(app, FORGET_BATCH) == FORGET_BATCH
              || tables.housekeeping().forgetIdsOf(app, FORGET_BATCH) == FORGET_BATCH
              || parts.plugins().kept().forget(app, FORGET_BATCH) == FORGET_BATCH;
    }
    parts.directory().remove(app);
    return true;
  }
}
