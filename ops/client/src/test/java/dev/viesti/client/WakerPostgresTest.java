package dev.viesti.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

final class WakerPostgresTest {
  private static final TestDatabase DATABASE = TestPostgres.freshDatabase();

  @Test
  void gathersTheWakeUpsOfManyTransactions() throws Exception {
    Duration every = Duration.ofMillis(20);
    try (Connection listener = listening();
        var waker = new Waker(DATABASE.dataSource(), every)) {
      long start = System.nanoTime();
      List<Thread> threads = new ArrayList<>();
      for (int n = 0; n < 4; n++) {
        String app = "app-" + n;
        threads.add(Thread.ofPlatform().start(() -> wakeOften(waker, app)));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      waker.wake("last");
      Set<String> woken = new TreeSet<>();
      int notifications = 0;
      while (!woken.contains("last")) {
        for (String payload : heard(listener)) {
          notifications++;
          woken.addAll(List.of(payload.split(",", -1)));
        }
      }
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      assertThat(woken).containsExactly("app-0", "app-1", "app-2", "app-3", "last");
      assertThat((long) notifications).isBetween(2L, took.dividedBy(every) + 1);
    }
  }

  private static void wakeOften(Waker waker, String app) {
    long end = System.nanoTime() + Duration.ofMillis(300).toNanos();
    while (System.nanoTime() < end) {
      waker.wake(app);
    }
  }

  @Test
  void sendsTheLastOneWhenItIsClosed() throws Exception {
    try (Connection listener = listening()) {
      var waker = new Waker(DATABASE.dataSource(), Duration.ofSeconds(1));
      waker.wake("one");
      assertThat(heard(listener)).containsExactly("one");
      waker.wake("two");
      waker.close();
      assertThat(heard(listener)).containsExactly("two");
      waker.wake("three"); // nobody is there any more, and nobody is hurt
    }
  }

  @Test
  void neverHurtsTheCallerAndCatchesUpAfterAnOutage() throws Exception {
    var away = new AtomicBoolean(true);
    var tries = new AtomicInteger();
    var tried = new CountDownLatch(2);
    DataSource flaky =
        (DataSource)
            Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {DataSource.class},
                (proxy, method, args) -> {
                  if (away.get()) {
                    tries.incrementAndGet();
                    tried.countDown();
                    throw new SQLException("away", "08001");
                  }
                  return DATABASE.connect();
                });
    try (Connection listener = listening();
        var waker = new Waker(flaky, Duration.ofMillis(1))) {
      waker.wake("shop");
      tried.await();
      long start = System.nanoTime();
      for (int n = 0; n < 100_000; n++) {
        waker.wake("shop");
      }
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
      assertThat(tries.get()).as("it is not tried for every wake-up").isLessThan(20);
      away.set(false);
      List<String> payloads = heard(listener);
      assertThat(payloads).isNotEmpty().allMatch("shop"::equals);
    }
  }

  /** A pool of one connection must not be drained by what only sends wake-ups. */
  @Test
  void givesItsConnectionBackWhenItHasNothingToSay() throws Exception {
    try (var waker = new Waker(DATABASE.dataSource(), Duration.ofMillis(1));
        Connection listener = listening()) {
      waker.wake("shop");
      assertThat(heard(listener)).containsExactly("shop");
      long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
      while (!DATABASE
          .queryText(
              "select count(*) from pg_stat_activity where datname = current_database()"
                  + " and query like '%pg_notify%' and pid <> pg_backend_pid()")
          .equals("0")) {
        assertThat(System.nanoTime()).as("it keeps the connection").isLessThan(end);
      }
    }
  }

  @Test
  void saysEverywhereWhenTheAppsDoNotFit() {
    Set<String> apps = new TreeSet<>(List.of("b", "a"));
    assertThat(Waker.payload(apps)).isEqualTo("a,b");
    for (int n = 0; n < 200; n++) {
      apps.add("%064d".formatted(n));
    }
    assertThat(Waker.payload(apps)).isEqualTo("*");
  }

  private static Connection listening() throws SQLException {
    Connection connection = DATABASE.connect();
    try (var statement = connection.createStatement()) {
      statement.execute("listen viesti");
    }
    return connection;
  }

  /** Payloads of the next notifications, at least one. */
  private static List<String> heard(Connection listener) throws SQLException {
    List<String> payloads = new ArrayList<>();
    var notifications = listener.unwrap(PGConnection.class).getNotifications(10_000);
    for (var notification : notifications) {
      payloads.add(notification.getParameter());
    }
    assertThat(payloads).isNotEmpty();
    return payloads;
  }
}
