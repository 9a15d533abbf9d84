package dev.viesti.dispatcher.commit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class GroupCommitTest {
  private static final long FURTHER = 100;
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** Longer than any test has patience: it would be seen. */
  private static final Duration FOR_EVER = Duration.ofMinutes(10);

  private record Commit(String lane, List<Integer> items) {}

  /** Commits end when the test lets them. */
  private static final class Work implements GroupCommit.Work<Integer, List<Integer>> {
    final Queue<Integer> taken = new ConcurrentLinkedQueue<>();
    final BlockingQueue<Commit> begun = new LinkedBlockingQueue<>();
    final Semaphore mayEnd = new Semaphore(0);
    volatile CountDownLatch mayTake = new CountDownLatch(0);

    @Override
    public List<Integer> take(List<Integer> items) {
      taken.addAll(items);
      try {
        mayTake.await();
      } catch (InterruptedException stop) {
        throw new IllegalStateException(stop);
      }
      return items;
    }

    @Override
    public void commit(List<Integer> items) {
      begun.add(new Commit(Thread.currentThread().getName(), items));
      mayEnd.acquireUninterruptibly();
    }

    Commit next() throws InterruptedException {
      Commit commit = begun.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
      if (commit == null) {
        throw new AssertionError("no commit within " + PATIENCE);
      }
      return commit;
    }
  }

  private final Work work = new Work();
  private GroupCommit<Integer, List<Integer>> lanes = make(Duration.ZERO);

  private GroupCommit<Integer, List<Integer>> make(Duration gather) {
    return new GroupCommit<>(
        "test",
        new GroupCommit.Limits(1_000, 10_000, Duration.ZERO, gather, 2, FURTHER),
        item -> item,
        work);
  }

  @AfterEach
  void close() {
    work.mayEnd.release(1_000_000);
    lanes.close(PATIENCE);
  }

  @Test
  void staysWithOneLaneWhileThatIsEnough() throws Exception {
    lanes.start();
    List<String> used = new ArrayList<>();
    for (int n = 0; n < 200; n++) {
      assertThat(lanes.submit(1)).isTrue();
      used.add(work.next().lane());
      work.mayEnd.release();
      idle();
    }
    // whichever was there first at the start, once it was the first lane's turn it stays so
    assertThat(used.subList(1, used.size())).containsOnly("test-1");
  }

  /** Until both lanes wait, as they do between two calls of a node that has little to do. */
  private void idle() {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!lanes.isIdle()) {
      assertThat(System.nanoTime()).isLessThan(end);
      Thread.onSpinWait();
    }
  }

  @Test
  void letsFewItemsWaitForTheCommitUnderWay() throws Exception {
    lanes.start();
    lanes.submit(1);
    assertThat(work.next().items()).containsExactly(1);
    lanes.submit(2);
    lanes.submit(3);
    assertThat(work.begun.poll(100, TimeUnit.MILLISECONDS)).isNull();
    work.mayEnd.release();
    assertThat(work.next().items()).containsExactly(2, 3);
  }

  @Test
  void commitsManyItemsBesideTheCommitUnderWay() throws Exception {
    lanes.start();
    lanes.submit(1);
    Commit first = work.next();
    lanes.submit(50);
    lanes.submit(51);
    Commit second = work.next();
    assertThat(second.items()).containsExactly(50, 51);
    assertThat(second.lane()).isNotEqualTo(first.lane());
    lanes.submit(1_000);
    assertThat(work.begun.poll(100, TimeUnit.MILLISECONDS)).isNull(); // there is no third lane
    work.mayEnd.release();
    assertThat(work.next().items()).containsExactly(1_000);
  }

  /** Numbers for its rows may have to come from a database that does not answer. */
  @Test
  @Timeout(60)
  void keepsNobodyWaitingWhileAGroupIsMade() throws Exception {
    lanes.start();
    work.mayTake = new CountDownLatch(1);
    lanes.submit(1);
    while (work.taken.isEmpty()) {
      Thread.onSpinWait();
    }
    lanes.submit(2);
    lanes.submit((int) FURTHER); // enough for the other lane, which must not pass the first
    assertThat(work.begun.poll(100, TimeUnit.MILLISECONDS)).isNull();
    assertThat(work.taken).containsExactly(1);
    work.mayTake.countDown();
    // two lanes: which of them begins its commit first is open, in what order they took is not
    assertThat(List.of(work.next().items(), work.next().items()))
        .containsExactlyInAnyOrder(List.of(1), List.of(2, (int) FURTHER));
    assertThat(work.taken).containsExactly(1, 2, (int) FURTHER);
  }

  /** All of them were answered by one commit: they come again, one after the other. */
  @Test
  void waitsForThoseWhoWereInTheGroupBefore() throws Exception {
    lanes = make(FOR_EVER);
    lanes.start();
    lanes.submit(1); // alone: nothing to wait for
    assertThat(work.next().items()).containsExactly(1);
    lanes.submit(2);
    lanes.submit(3);
    lanes.submit(4);
    work.mayEnd.release();
    assertThat(work.next().items()).containsExactly(2, 3, 4);
    work.mayEnd.release();
    lanes.submit(5);
    lanes.submit(6);
    assertThat(work.begun.poll(100, TimeUnit.MILLISECONDS)).isNull();
    lanes.submit(7);
    assertThat(work.next().items()).containsExactly(5, 6, 7);
  }

  @Test
  void waitsNoLongerForThoseWhoDoNotCome() throws Exception {
    lanes = make(Duration.ofMillis(20));
    lanes.start();
    lanes.submit(1);
    work.next();
    for (int n = 0; n < 8; n++) {
      lanes.submit(1);
    }
    work.mayEnd.release();
    assertThat(work.next().items()).hasSize(8);
    for (int n = 0; n < 5; n++) {
      lanes.submit(1);
      work.mayEnd.release();
      assertThat(work.next().items()).hasSize(1);
    }
    assertThat(lanes.expected()).isEqualTo(1);
  }

  /** A lane that has committed two items and would wait for two. */
  private void expectsTwo() throws Exception {
    lanes = make(FOR_EVER);
    lanes.start();
    lanes.submit(1);
    work.next();
    lanes.submit(1);
    lanes.submit(1);
    work.mayEnd.release();
    assertThat(work.next().items()).hasSize(2);
    work.mayEnd.release();
    idle();
  }

  @Test
  void waitsForNobodyWhenThereIsEnough() throws Exception {
    expectsTwo();
    lanes.submit((int) FURTHER);
    assertThat(work.next().items()).hasSize(1);
  }

  @Test
  void endsWhileItWaitsForOthers() throws Exception {
    expectsTwo();
    lanes.submit(9);
    Thread closing = Thread.ofPlatform().start(() -> lanes.close(PATIENCE));
    assertThat(work.next().items()).containsExactly(9);
    work.mayEnd.release();
    closing.join();
  }

  @Test
  void takesEachItemOnceAndInTheOrderOfEachThatSubmits() throws Exception {
    work.mayEnd.release(1_000_000);
    lanes.start();
    int each = 5_000;
    List<Thread> submitters = new ArrayList<>();
    for (int who = 0; who < 4; who++) {
      int base = who * each;
      submitters.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int n = 0; n < each; n++) {
                      while (!lanes.submit(base + n)) {
                        Thread.onSpinWait();
                      }
                    }
                  }));
    }
    for (Thread submitter : submitters) {
      submitter.join();
    }
    lanes.close(PATIENCE);
    assertThat(work.taken).hasSize(4 * each).doesNotHaveDuplicates();
    for (int who = 0; who < 4; who++) {
      int base = who * each;
      assertThat(work.taken.stream().filter(n -> n / each == base / each)).isSorted();
    }
  }

  @Test
  void commitsWhatWaitsBeforeItEnds() throws Exception {
    lanes.start();
    lanes.submit(1);
    work.next();
    lanes.submit(2);
    Thread closing = Thread.ofPlatform().start(() -> lanes.close(PATIENCE));
    work.mayEnd.release();
    assertThat(work.next().items()).containsExactly(2);
    work.mayEnd.release();
    closing.join();
    assertThat(lanes.submit(3)).isFalse();
    assertThat(work.taken).containsExactly(1, 2);
  }

  @Test
  void takesNothingBeyondItsLimit() {
    int taken = 0;
    while (lanes.submit(100)) {
      taken++;
    }
    assertThat(taken).isEqualTo(100);
    lanes.start();
  }
}
