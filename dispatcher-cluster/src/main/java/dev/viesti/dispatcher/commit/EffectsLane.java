package dev.viesti.dispatcher.commit;

import dev.viesti.persistence.effects.Effects;
import dev.viesti.protocol.app.AppId;
import java.sql.SQLException;
import java.sql.SQLTransientException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's lane for effects: calls of all plugins whose work is done while a commit is under way
 * go into the next one together, each of them whole or not at all. Thread-safe.
 */
public final class EffectsLane {
  /** Makes a group durable; each call on its own is taken or left out. */
  public interface Commits {
    /**
     * @return what became of each, in the same order
     * @throws SQLException when nothing was written, or it is not known whether it was
     */
    List<Effects.Result> commit(List<Effects> group) throws SQLException;
  }

  private record Waiting(Effects effects, long weight, CompletableFuture<Effects.Result> result) {}

  private static final Logger LOG = LoggerFactory.getLogger(EffectsLane.class);

  /** One commit flushes while the next one is executed, as with the writer's. */
  private static final int LANES = 2;

  /** Small calls in one transaction: enough for the cost of a commit to vanish. */
  private static final int GROUP_MAX = 500;

  /** What counts as a call more: 500 of them, 8 MiB, are a transaction of a sensible size. */
  private static final long CALL_BYTES = 16 << 10;

  /** What may wait: 128 MiB. A node has a thousand executions, nearly all of them small. */
  private static final int QUEUE_MAX = 8_192;

  /** A second commit beside the one under way pays from about so many calls on. */
  private static final int SECOND_LANE_CALLS = 64;

  private final Commits commits;
  private final Consumer<AppId> published;
  private final GroupCommit<Waiting, List<Waiting>> lanes;

  /**
   * @param published told which apps have new events to be routed
   */
  public EffectsLane(Commits commits, Consumer<AppId> published) {
    this.commits = commits;
    this.published = published;
    var limits =
        new GroupCommit.Limits(
            GROUP_MAX, QUEUE_MAX, Duration.ZERO, Duration.ZERO, LANES, SECOND_LANE_CALLS);
    this.lanes =
        new GroupCommit<>(
            "viesti-effects",
            limits,
            Waiting::weight,
            new GroupCommit.Work<Waiting, List<Waiting>>() {
              @Override
              public List<Waiting> take(List<Waiting> items) {
                return items;
              }

              @Override
              public void commit(List<Waiting> group) {
                EffectsLane.this.commit(group);
              }
            });
  }

  public void start() {
    lanes.start();
  }

  /**
   * Waits until it is known what became of the effects.
   *
   * @param bytes what they weigh
   * @throws SQLException when they were not written, or that is not known: with a delivery that is
   *     repeated it does not matter, since the next attempt finds its row gone
   * @throws InterruptedException when the caller was: they may be written all the same
   */
  public Effects.Result commit(Effects effects, long bytes)
      throws SQLException, InterruptedException {
    var result = new CompletableFuture<Effects.Result>();
    if (!lanes.submit(new Waiting(effects, 1 + bytes / CALL_BYTES, result))) {
      throw new SQLTransientException("too many calls wait for their effects to be written");
    }
    try {
      return result.get();
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof SQLException away) {
        throw away;
      }
      throw new IllegalStateException("the effects of a call were lost", failed);
    }
  }

  /** Commits what waits, then ends. */
  public void close(Duration deadline) {
    lanes.close(deadline);
  }

  private void commit(List<Waiting> group) {
    try {
      List<Effects.Result> results = commits.commit(group.stream().map(Waiting::effects).toList());
      for (int i = 0; i < group.size(); i++) {
        Waiting waiting = group.get(i);
        if (results.get(i) instanceof Effects.Result.Committed
            && !waiting.effects().events().isEmpty()) {
          published.accept(waiting.effects().app());
        }
        waiting.result().complete(results.get(i));
      }
    } catch (SQLException away) {
      LOG.warn(
          "effects of {} calls were not written ({}); they will be made again",
          group.size(),
          away.getMessage());
      group.forEach(waiting -> waiting.result().completeExceptionally(away));
    } catch (RuntimeException bug) {
      LOG.error("effects of {} calls are lost", group.size(), bug);
      group.forEach(waiting -> waiting.result().completeExceptionally(bug));
    }
  }
}
