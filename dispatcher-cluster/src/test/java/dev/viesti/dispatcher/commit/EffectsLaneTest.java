package dev.viesti.dispatcher.commit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.persistence.effects.Effects;
import dev.viesti.persistence.effects.Effects.Result;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // they spin
class EffectsLaneTest {
  private final Queue<List<Effects>> groups = new ConcurrentLinkedQueue<>();
  private final Queue<AppId> published = new ConcurrentLinkedQueue<>();
  private final CountDownLatch mayCommit = new CountDownLatch(1);
  private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
  private volatile EffectsLane.Commits commits = group -> committed(group);

  private final EffectsLane lane =
      new EffectsLane(
          group -> {
            groups.add(group);
            try {
              mayCommit.await();
            } catch (InterruptedException stop) {
              throw new IllegalStateException(stop);
            }
            return commits.commit(group);
          },
          published::add);

  @AfterEach
  void close() {
    mayCommit.countDown();
    lane.close(Duration.ofSeconds(10));
    callers.close();
  }

  private static List<Result> committed(List<Effects> group) {
    return group.stream().<Result>map(any -> new Result.Committed()).toList();
  }

  private static Effects effects(String app, long epoch, boolean publishes) {
    var event = Event.of(new UUID(0, epoch), "s", "t", null, Payload.NONE);
    return new Effects(
        new AppId(app),
        epoch,
        null,
        "test",
        List.of(),
        List.of(),
        List.of(),
        publishes ? List.of(event) : List.of());
  }

  private Future<Result> commit(Effects effects) {
    Callable<Result> call = () -> lane.commit(effects, 100);
    return callers.submit(call);
  }

  @Test
  void commitsWhatComesMeanwhileTogether() throws Exception {
    lane.start();
    List<Future<Result>> results = new ArrayList<>();
    results.add(commit(effects("a", 0, false)));
    while (groups.isEmpty()) {
      Thread.onSpinWait();
    }
    for (int n = 1; n <= 20; n++) {
      results.add(commit(effects("a", n, false)));
    }
    mayCommit.countDown();
    for (Future<Result> result : results) {
      assertThat(result.get()).isEqualTo(new Result.Committed());
    }
    assertThat(groups.stream().mapToInt(List::size).sum()).isEqualTo(21);
    assertThat(groups.size()).isLessThan(21);
  }

  @Test
  void tellsEachWhatBecameOfIt() throws Exception {
    commits =
        group ->
            group.stream()
                .<Result>map(
                    one ->
                        one.epoch() % 2 == 0
                            ? new Result.Conflict("kv " + one.epoch())
                            : new Result.Committed())
                .toList();
    mayCommit.countDown();
    lane.start();
    for (int n = 0; n < 10; n++) {
      Result expected = n % 2 == 0 ? new Result.Conflict("kv " + n) : new Result.Committed();
      assertThat(commit(effects("a", n, false)).get()).isEqualTo(expected);
    }
  }

  @Test
  void tellsWhoHasNewEventsOnceTheyAreThere() throws Exception {
    commits =
        group ->
            group.stream()
                .<Result>map(one -> one.epoch() == 9 ? new Result.Gone() : new Result.Committed())
                .toList();
    lane.start();
    Future<Result> quiet = commit(effects("quiet", 1, false));
    Future<Result> loud = commit(effects("loud", 2, true));
    Future<Result> gone = commit(effects("gone", 9, true));
    while (groups.isEmpty()) {
      Thread.onSpinWait();
    }
    assertThat(published).isEmpty();
    mayCommit.countDown();
    quiet.get();
    loud.get();
    gone.get();
    assertThat(published).containsExactly(new AppId("loud"));
  }

  @Test
  void saysWhenTheDatabaseIsAwayAndGoesOn() throws Exception {
    commits =
        group -> {
          throw new SQLException("away");
        };
    mayCommit.countDown();
    lane.start();
    Future<Result> lost = commit(effects("a", 1, false));
    assertThatThrownBy(lost::get)
        .isInstanceOf(ExecutionException.class)
        .hasRootCauseInstanceOf(SQLException.class);
    commits = EffectsLaneTest::committed;
    assertThat(commit(effects("a", 2, false)).get()).isEqualTo(new Result.Committed());
  }

  /** 4 MiB each, of 128: 32 wait, up to 4 are under way, and the others are refused. */
  @Test
  void takesNoMoreThanItsQueueHolds() throws Exception {
    lane.start();
    List<Future<Result>> results = new ArrayList<>();
    for (int n = 0; n < 60; n++) {
      Callable<Result> call = () -> lane.commit(effects("a", 1, false), 4 << 20);
      results.add(callers.submit(call));
    }
    while (refused(results) < 60 - 32 - 4) {
      Thread.onSpinWait();
    }
    mayCommit.countDown();
    for (Future<Result> result : results) {
      try {
        assertThat(result.get()).isEqualTo(new Result.Committed());
      } catch (ExecutionException full) {
        assertThat(full).hasRootCauseMessage("too many calls wait for their effects to be written");
      }
    }
    assertThat(refused(results)).isLessThanOrEqualTo(60 - 32);
  }

  private static long refused(List<Future<Result>> results) {
    return results.stream().filter(one -> one.state() == Future.State.FAILED).count();
  }
}
