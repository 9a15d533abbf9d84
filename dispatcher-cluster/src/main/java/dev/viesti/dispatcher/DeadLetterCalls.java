package dev.viesti.dispatcher;

import dev.viesti.dispatcher.app.App;
import dev.viesti.dispatcher.app.OutboxRequest;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.persistence.deadletter.DeadLetterRepository;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.deadletter.DeadLetter;
import dev.viesti.protocol.deadletter.Resolution;
import dev.viesti.protocol.delivery.DeliveryId;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Dead letters are read and resolved right here; only their owner puts them back. */
final class DeadLetterCalls {
  /** Dead letters that one message, and one transaction, replays. */
  private static final int REPLAY_BATCH = 500;

  private static final int COUNT_MAX = 100_000;
  private static final int NOTE_MAX = 2_000;

  private final AppCalls calls;
  private final DeadLetterRepository deadLetters;

  DeadLetterCalls(AppCalls calls, DeadLetterRepository deadLetters) {
    this.calls = calls;
    this.deadLetters = deadLetters;
  }

  CompletionStage<List<DeadLetter>> list(
      AppId app, DeadLetterQuery query, @Nullable UUID after, int limit) {
    return calls.read(() -> deadLetters.list(app, query.trigger(), query.resolved(), after, limit));
  }

  CompletionStage<DeadLetter> get(AppId app, UUID id) {
    return calls.read(
        () -> {
          DeadLetter letter = deadLetters.get(app, id);
          if (letter == null) {
            throw RefusedException.notFound("app '%s' has no dead letter '%s'".formatted(app, id));
          }
          return letter;
        });
  }

  CompletionStage<Long> count(AppId app, DeadLetterQuery query) {
    return calls.read(() -> deadLetters.count(app, query.trigger(), query.resolved(), COUNT_MAX));
  }

  CompletionStage<DeliveryId> replay(AppId app, UUID id) {
    return get(app, id)
        .thenCompose(
            letter ->
                replay(app, List.of(id))
                    .thenApply(
                        count -> {
                          if (count == 0) {
                            throw resolvedAlready(letter.id());
                          }
                          return letter.delivery();
                        }));
  }

  CompletionStage<Integer> replay(AppId app, DeadLetterQuery query, int limit) {
    return replayFrom(app, query, null, limit, 0);
  }

  private CompletionStage<Integer> replayFrom(
      AppId app, DeadLetterQuery query, @Nullable UUID after, int limit, int done) {
    int batch = Math.min(REPLAY_BATCH, limit - done);
    if (batch <= 0) {
      return CompletableFuture.completedFuture(done);
    }
    return calls
        .read(() -> deadLetters.unresolvedIds(app, query.trigger(), after, batch))
        .thenCompose(
            ids ->
                ids.isEmpty()
                    ? CompletableFuture.completedFuture(done)
                    : replay(app, ids)
                        .thenCompose(
                            count -> replayFrom(app, query, ids.getLast(), limit, done + count)));
  }

  private CompletionStage<Integer> replay(AppId app, List<UUID> ids) {
    return calls
        .ask(app, Answer.Replayed.class, replyTo -> new OutboxRequest.Replay(ids, replyTo))
        .thenApply(Answer.Replayed::count);
  }

  CompletionStage<DeadLetter> resolve(
      AppId app, UUID id, Resolution resolution, @Nullable String note) {
    if (resolution == Resolution.REPLAYED) {
      return CompletableFuture.failedFuture(
          new RefusedException(
              new Refusal.Invalid(
                  "/resolution", "use the replay operation: it puts the delivery back as well")));
    }
    if (note != null && (note.length() > NOTE_MAX || note.indexOf('\0') >= 0)) {
      return CompletableFuture.failedFuture(
          new RefusedException(
              new Refusal.Invalid(
                  "/note", "a note has at most " + NOTE_MAX + " characters, none of them U+0000")));
    }
    return get(app, id)
        .thenCompose(
            letter ->
                calls.read(
                    () -> {
                      if (!deadLetters.resolve(app, id, resolution, note)) {
                        throw resolvedAlready(id);
                      }
                      calls.tell(app, new App.DeadLettersResolved());
                      DeadLetter resolved = deadLetters.get(app, id);
                      return resolved == null ? letter : resolved;
                    }));
  }

  private static RefusedException resolvedAlready(UUID id) {
    return new RefusedException(
        new Refusal.Conflict("dead letter '%s' is resolved already".formatted(id)));
  }
}
