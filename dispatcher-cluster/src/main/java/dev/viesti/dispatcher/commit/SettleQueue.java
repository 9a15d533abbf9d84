package dev.viesti.dispatcher.commit;

import dev.viesti.persistence.outbox.RowChange;
import dev.viesti.persistence.outbox.Settling;
import dev.viesti.protocol.app.AppId;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What one owner wants settled next. The settler empties it at the moment at which it starts a
 * commit, so a group is as large as it can be. Thread-safe.
 */
public final class SettleQueue {
  /** What became of changes. */
  public sealed interface Result {
    List<RowChange> changes();

    /**
     * They are durable.
     *
     * @param missedRetries numbers of rows that were to be tried again and are not in the table any
     *     more
     */
    record Durable(List<RowChange> changes, Set<Long> missedRetries) implements Result {}

    /** {@code epoch} is not the owner's any more; nothing was written. */
    record Fenced(long epoch, List<RowChange> changes) implements Result {}

    /** The database will never take them: a bug, for the log. */
    record Refused(String detail, List<RowChange> changes) implements Result {}
  }

  private final AppId app;
  private final Consumer<Result> done;
  private volatile long epoch;
  private List<RowChange> waiting = new ArrayList<>();
  private boolean announced;

  /**
   * @param done called on the settler's thread for each group
   */
  public SettleQueue(AppId app, long epoch, Consumer<Result> done) {
    this.app = app;
    this.epoch = epoch;
    this.done = done;
  }

  /** The owner took a new epoch; changes that wait or are tried again go under that one. */
  public void renew(long newEpoch) {
    epoch = newEpoch;
  }

  /** True when the settler must be told that there is something. */
  synchronized boolean add(RowChange change) {
    waiting.add(change);
    if (announced) {
      return false;
    }
    announced = true;
    return true;
  }

  /**
   * Changes that could not be made yet; they go before what came meanwhile.
   *
   * @return as {@link #add}
   */
  synchronized boolean putBack(List<RowChange> changes) {
    waiting.addAll(0, changes);
    boolean first = !announced;
    announced = true;
    return first;
  }

  synchronized List<RowChange> take() {
    List<RowChange> taken = waiting;
    waiting = new ArrayList<>();
    announced = false;
    return taken;
  }

  Settling settling(List<RowChange> changes) {
    return new Settling(app, epoch, changes);
  }

  void tell(Result result) {
    done.accept(result);
  }
}
