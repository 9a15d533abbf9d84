package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.AppView;
import dev.viesti.dispatcher.outbox.Statements;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.persistence.app.AppDirectory;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.jspecify.annotations.Nullable;

/**
 * Keeps an app's line in the directory of all apps, and answers once that has it: a list asked for
 * after the answer shows it. Belongs to one {@link App} and is called on its thread only.
 */
final class Listing {
  /** What became of a line. */
  record Written(Answer answer, @Nullable Throwable failure, ActorRef<Answer> replyTo)
      implements App.Command {}

  private final ActorContext<App.Command> context;
  private final AppParts parts;

  Listing(ActorContext<App.Command> context, AppParts parts) {
    this.context = context;
    this.parts = parts;
  }

  void write(AppView view, ActorRef<Answer> replyTo) {
    var line =
        new AppDirectory.Line(
            view.id(),
            view.settings().displayName(),
            view.settings().paused(),
            view.createdAt(),
            view.updatedAt());
    var written =
        Statements.on(
            parts.owners().blocking(),
            () -> {
              parts.directory().put(line);
              return true;
            });
    context.pipeToSelf(
        written, (done, failure) -> new Written(new Answer.App(view), failure, replyTo));
  }

  void written(Written news) {
    news.replyTo()
        .tell(
            news.failure() == null
                ? news.answer()
                : Answer.unavailable("saved, but not listed yet: repeat it"));
  }
}
