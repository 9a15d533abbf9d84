package dev.viesti.dispatcher.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.protocol.app.AppId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SandboxTest {
  private static final AppId A = new AppId("a");
  private static final AppId B = new AppId("b");
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration SHORT = Duration.ofMillis(50);

  private final Sandbox sandbox =
      new Sandbox(new SandboxSettings(4, 2, 3, 512 << 10, 100, 10, 16, 5, 5));
  private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
  private final CountDownLatch mayEnd = new CountDownLatch(1);

  @AfterEach
  void close() {
    mayEnd.countDown();
    sandbox.close();
    callers.close();
  }

  @Test
  void runsOnAThreadOfItsOwn() throws Exception {
    Thread thread = sandbox.run(A, 10, PATIENCE, Thread::currentThread);
    assertThat(thread.getName()).startsWith("viesti-plugin-");
    assertThat(thread.isVirtual()).isFalse();
  }

  @Test
  void interruptsWhatTakesTooLong() throws Exception {
    var interrupted = new CountDownLatch(1);
    assertThatThrownBy(
            () ->
                sandbox.run(
                    A,
                    10,
                    SHORT,
                    () -> {
                      try {
                        return mayEnd.getCount() > 0
                            && new CountDownLatch(1).await(30, TimeUnit.SECONDS);
                      } catch (InterruptedException stop) {
                        interrupted.countDown();
                        throw stop;
                      }
                    }))
        .isInstanceOf(TimeoutException.class);
    interrupted.await();
  }

  /** Has a thread of A's until it may end. */
  private Future<Boolean> hog(int pages, CountDownLatch running) {
    return callers.submit(
        () ->
            sandbox.run(
                A,
                pages,
                PATIENCE,
                () ->
                    sandbox.offProcessor(
                        () -> {
                          running.countDown();
                          mayEnd.await();
                          return true;
                        })));
  }

  @Test
  void leavesThreadsToOtherApps() throws Exception {
    var running = new CountDownLatch(3);
    List<Future<Boolean>> hogs = new ArrayList<>();
    for (int n = 0; n < 7; n++) {
      hogs.add(hog(10, running));
    }
    running.await();
    assertThat(sandbox.run(B, 10, PATIENCE, () -> "served")).isEqualTo("served");
    assertThatThrownBy(() -> sandbox.run(A, 10, SHORT, () -> "no room"))
        .isInstanceOf(TimeoutException.class);
    mayEnd.countDown();
    for (Future<Boolean> hog : hogs) {
      assertThat(hog.get()).isTrue();
    }
    assertThat(sandbox.run(A, 10, PATIENCE, () -> "room again")).isEqualTo("room again");
  }

  @Test
  void letsOnlySoManyComputeAtATime() throws Exception {
    var computing = new Semaphore(0);
    List<Future<Boolean>> all = new ArrayList<>();
    for (int n = 0; n < 4; n++) {
      AppId app = n % 2 == 0 ? A : B;
      all.add(
          callers.submit(
              () ->
                  sandbox.run(
                      app,
                      10,
                      PATIENCE,
                      () -> {
                        computing.release();
                        mayEnd.await();
                        return true;
                      })));
    }
    computing.acquire(2);
    assertThat(computing.tryAcquire(100, TimeUnit.MILLISECONDS)).isFalse();
    mayEnd.countDown();
    for (Future<Boolean> one : all) {
      assertThat(one.get()).isTrue();
    }
  }

  /** Calls that are given up before they began must not use up their app's places. */
  @Test
  void givesBackThePlacesOfThoseWhoNeverBegan() throws Exception {
    var running = new CountDownLatch(3);
    for (int n = 0; n < 3; n++) {
      var unused = hog(10, running);
    }
    running.await();
    for (int n = 0; n < 20; n++) {
      assertThatThrownBy(() -> sandbox.run(A, 10, Duration.ofMillis(5), () -> "late"))
          .isInstanceOf(TimeoutException.class);
    }
    mayEnd.countDown();
    for (int n = 0; n < 20; n++) {
      assertThat(sandbox.run(A, 10, PATIENCE, () -> "on time")).isEqualTo("on time");
    }
  }

  /** A hundred pages are all there is, and an app may have 75 of them. */
  @Test
  void letsCallsWaitForTheMemoryThatTheyMayNeed() throws Exception {
    assertThat(sandbox.memoryPagesMax()).isEqualTo(75);
    var running = new CountDownLatch(1);
    Future<Boolean> hog = hog(70, running);
    running.await();
    assertThatThrownBy(() -> sandbox.run(A, 6, SHORT, () -> "beyond its share"))
        .isInstanceOf(TimeoutException.class);
    assertThatThrownBy(() -> sandbox.run(B, 31, SHORT, () -> "beyond what is left"))
        .isInstanceOf(TimeoutException.class);
    assertThat(sandbox.run(A, 5, PATIENCE, () -> "fits")).isEqualTo("fits");
    assertThat(sandbox.run(B, 30, PATIENCE, () -> "fits")).isEqualTo("fits");
    mayEnd.countDown();
    assertThat(hog.get()).isTrue();
    assertThat(sandbox.run(B, 75, PATIENCE, () -> "all of it")).isEqualTo("all of it");
  }

  @Test
  void handsOnWhatWentWrong() {
    assertThatThrownBy(
            () ->
                sandbox.run(
                    A,
                    10,
                    PATIENCE,
                    () -> {
                      throw new StackOverflowError();
                    }))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(StackOverflowError.class);
  }
}
