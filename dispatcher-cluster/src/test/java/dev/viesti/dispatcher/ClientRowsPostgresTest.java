package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.handler;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.client.Event;
import dev.viesti.client.ViestiClient;
import dev.viesti.dispatcher.cloudevents.CloudEvents;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.trigger.OrderBy;
import dev.viesti.protocol.trigger.TriggerId;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Events that services write in their own transactions reach their triggers. */
class ClientRowsPostgresTest {
  private static final AppId APP = new AppId("shop");
  private static final ViestiClient CLIENT = ViestiClient.of("shop");
  private static final String QUICK =
      """
      viesti.node.sweep-interval = 1 s
      viesti.outbox { client-rows-interval = 100 ms, window-rows = 400, page-rows = 50 }
      """;

  private final Queue<String> handled = new ConcurrentLinkedQueue<>();
  private final Map<String, EventHandler> works =
      Map.of(
          "works",
          call -> {
            handled.add(call.trigger() + " " + call.event().data().utf8());
            return Outcome.Succeeded.PLAIN;
          });

  /**
   * Eight writers, each with transactions that end in another order than they began, some of them
   * rolled back, and one transaction that is open from before the first to after the last.
   */
  @Test
  void handlesEachCommittedEventOnceAndNoOther() throws Exception {
    TestDatabase database = TestNode.database();
    try (TestNode node = TestNode.start(database, works, QUICK);
        Connection first = database.connect();
        var threads = Executors.newFixedThreadPool(8)) {
      makeApp(node);
      first.setAutoCommit(false);
      List<String> expected = new ArrayList<>();
      CLIENT.append(first, event("one", null, "\"first\""));
      List<Future<List<String>>> writers = new ArrayList<>();
      for (int writer = 0; writer < 8; writer++) {
        int id = writer;
        Callable<List<String>> writing = () -> write(database, id);
        writers.add(threads.submit(writing));
      }
      for (Future<List<String>> writer : writers) {
        expected.addAll(writer.get());
      }
      until("all but the first are handled", () -> handled.size() >= expected.size());
      first.commit();
      expected.add("one \"first\"");
      until("the outbox is empty", () -> rows(database) == 0);
      assertThat(handled).containsExactlyInAnyOrderElementsOf(expected);
    }
  }

  /**
   * @return what is to be handled
   */
  private static List<String> write(TestDatabase database, int writer) throws Exception {
    record Open(Connection connection, List<String> expected) {}
    var random = new Random(writer);
    List<String> expected = new ArrayList<>();
    var open = new ArrayDeque<Open>();
    for (int n = 0; n < 150 || !open.isEmpty(); n++) {
      if (n < 150) {
        var transaction = new Open(database.connect(), new ArrayList<>());
        transaction.connection().setAutoCommit(false);
        for (int event = random.nextInt(3); event >= 0; event--) {
          String json = "\"" + writer + "-" + n + "-" + event + "\"";
          switch (random.nextInt(6)) {
            case 0 -> CLIENT.append(transaction.connection(), event("none", null, json));
            case 1 -> {
              CLIENT.append(transaction.connection(), event("two", null, json));
              transaction.expected().add("two-a " + json);
              transaction.expected().add("two-b " + json);
            }
            case 2 -> {
              CLIENT.append(transaction.connection(), event("ordered", "k" + n % 3, json));
              transaction.expected().add("ordered " + json);
            }
            default -> {
              CLIENT.append(transaction.connection(), event("one", null, json));
              transaction.expected().add("one " + json);
            }
          }
        }
        open.add(transaction);
      }
      while (open.size() > (n < 150 ? random.nextInt(5) : 0)) {
        Open ends = random.nextBoolean() ? open.removeFirst() : open.removeLast();
        try (Connection connection = ends.connection()) {
          if (random.nextInt(5) == 0) {
            connection.rollback();
          } else {
            connection.commit();
            expected.addAll(ends.expected());
          }
        }
      }
    }
    return expected;
  }

  @Test
  void retriesAndBuriesARowThatRunsAsItIs() throws Exception {
    TestDatabase database = TestNode.database();
    Map<String, EventHandler> failing =
        Map.of(
            "works",
            call -> {
              handled.add(call.attempt() + " " + call.event().data().utf8());
              return call.event().data().utf8().equals("1") && call.attempt() == 2
                  ? Outcome.Succeeded.PLAIN
                  : new Outcome.Retryable("no", null, null);
            });
    try (TestNode node = TestNode.start(database, failing, QUICK)) {
      makeApp(node);
      append(database, event("one", null, "1"), event("one", null, "2"));
      until("the outbox is empty", () -> rows(database) == 0);
      assertThat(handled).containsExactlyInAnyOrder("1 1", "2 1", "1 2", "2 2", "3 2");
      assertThat(
              database.queryText(
                  "select string_agg(trigger_id || ' ' || convert_from(data, 'UTF8') || ' '"
                      + " || attempt, ',') from viesti.dead_letter"))
          .isEqualTo("one 2 3");
    }
  }

  @Test
  void keepsTheOrderOfAKeyThroughRetries() throws Exception {
    TestDatabase database = TestNode.database();
    Map<String, EventHandler> stumbling =
        Map.of(
            "works",
            call -> {
              if (call.attempt() == 1 && call.event().data().utf8().endsWith("0")) {
                return new Outcome.Retryable("first try", null, null);
              }
              handled.add(call.event().data().utf8());
              return Outcome.Succeeded.PLAIN;
            });
    try (TestNode node = TestNode.start(database, stumbling, QUICK)) {
      makeApp(node);
      List<String> expected = new ArrayList<>();
      for (int n = 100; n < 400; n++) {
        append(database, event("ordered", "same", Integer.toString(n)));
        expected.add(Integer.toString(n));
      }
      until("the outbox is empty", () -> rows(database) == 0);
      assertThat(handled).containsExactlyElementsOf(expected);
    }
  }

  @Test
  void startsNoEarlierThanTheEventWishes() throws Exception {
    TestDatabase database = TestNode.database();
    Map<String, EventHandler> late =
        Map.of(
            "works",
            call -> {
              handled.add(call.event().type());
              return Outcome.Succeeded.PLAIN;
            });
    try (TestNode node = TestNode.start(database, late, QUICK)) {
      makeApp(node);
      Instant due = Clock.systemUTC().instant().plusMillis(1_500);
      append(database, Event.of("/shop", "one").deliverAt(due).json("1").build());
      until(
          "it is the owner's own, with a time",
          () ->
              text(database, "select count(*) from viesti.outbox where isfinite(due_at)")
                  .equals("1"));
      assertThat(handled).isEmpty();
      assertThat(text(database, "select trigger_id from viesti.outbox")).isEqualTo("one");
      until("it is handled", () -> !handled.isEmpty());
      assertThat(Clock.systemUTC().instant()).isAfterOrEqualTo(due.truncatedTo(ChronoUnit.MILLIS));
    }
  }

  /** Rows that ran and were not settled run again under the next owner; nobody asks for the app. */
  @Test
  void runsAgainWhatAnOwnerThatStoppedHadNotSettled() throws Exception {
    TestDatabase database = TestNode.database();
    var gate = new CountDownLatch(1);
    var started = new CountDownLatch(3);
    Map<String, EventHandler> stuck =
        Map.of(
            "works",
            call -> {
              started.countDown();
              gate.await();
              return Outcome.Succeeded.PLAIN;
            });
    try (TestNode node =
        TestNode.start(database, stuck, QUICK + "viesti.outbox.drain-deadline = 100 ms")) {
      makeApp(node);
      append(database, event("one", null, "1"), event("one", null, "2"), event("one", null, "3"));
      started.await();
    }
    assertThat(rows(database)).isEqualTo(3);
    append(database, event("one", null, "4"));
    try (TestNode node = TestNode.start(database, works, QUICK)) {
      until("the outbox is empty", () -> rows(database) == 0);
      assertThat(handled).containsExactlyInAnyOrder("one 1", "one 2", "one 3", "one 4");
    }
  }

  @Test
  void showsAndCancelsRowsThatRunAsTheyAre() throws Exception {
    TestDatabase database = TestNode.database();
    var end = new CountDownLatch(1);
    Map<String, EventHandler> slow =
        Map.of(
            "works",
            call -> {
              handled.add(call.event().data().utf8());
              end.await();
              return Outcome.Succeeded.PLAIN;
            });
    try (TestNode node = TestNode.start(database, slow, QUICK)) {
      makeApp(node);
      get(node.viesti.putApp(APP, AppSettings.of(null, 1, false, null), null, "test"));
      append(database, event("one", null, "1"), event("one", null, "2"), event("one", null, "3"));
      until("the first runs", () -> handled.size() == 1);
      until("all are shown", () -> list(node, null, 10).size() == 3);
      List<DeliveryView> shown = list(node, null, 10);
      assertThat(shown)
          .extracting(DeliveryView::state)
          .containsExactly(
              DeliveryView.State.RUNNING, DeliveryView.State.WAITING, DeliveryView.State.WAITING);
      assertThat(shown.getFirst().delivery().trigger()).isEqualTo(new TriggerId("one"));
      Delivery first = list(node, null, 1).getFirst().delivery();
      assertThat(list(node, new DeliveryPosition(first.dueAt(), first.seq()), 10))
          .isEqualTo(shown.subList(1, 3));
      assertThat(get(node.viesti.listDeliveries(APP, new TriggerId("two-a"), null, 10))).isEmpty();
      DeliveryId second = shown.get(1).delivery().id();
      assertThat(get(node.viesti.getDelivery(APP, second))).isEqualTo(shown.get(1));
      get(node.viesti.cancelDelivery(APP, second, "test"));
      get(node.viesti.cancelDelivery(APP, first.id(), "test"));
      until("the third runs", () -> handled.size() == 2);
      end.countDown();
      until("the outbox is empty", () -> rows(database) == 0);
      assertThat(handled).containsExactly("1", "3");
    }
  }

  private static List<DeliveryView> list(
      TestNode node, @Nullable DeliveryPosition after, int limit) {
    return get(node.viesti.listDeliveries(APP, null, after, limit));
  }

  /** Neither the sweep nor the owner's own look would come within this test. */
  @Test
  void triesAgainSoonWhatCouldNotBePlaced() throws Exception {
    TestDatabase database = TestNode.database();
    database.execute(
        """
        create sequence viesti.tries;
        create function viesti.refuse() returns trigger language plpgsql as $$
        begin
          if nextval('viesti.tries') <= 3 then
            raise exception 'not now' using errcode = '53200';
          end if;
          return new;
        end $$;
        create trigger refuse before insert on viesti.outbox
          for each row when (new.trigger_id is not null) execute function viesti.refuse();
        """);
    try (TestNode node =
            TestNode.start(
                database,
                works,
                "viesti.node.sweep-interval = 10 m, viesti.outbox.client-rows-interval = 10 m");
        ViestiClient client =
            ViestiClient.builder("shop").dataSource(database.dataSource()).build()) {
      makeApp(node);
      until("the node listens", () -> listeners(database) == 1);
      client.inTransaction(connection -> client.append(connection, event("two", null, "1")));
      until("it is handled", () -> handled.size() == 2);
      assertThat(handled).containsExactlyInAnyOrder("two-a 1", "two-b 1");
    }
  }

  /** Neither the sweep nor the owner's own look would come within this test. */
  @Test
  void hearsOfACommitAtOnce() throws Exception {
    TestDatabase database = TestNode.database();
    String slow =
        "viesti.node.sweep-interval = 10 m, viesti.outbox.client-rows-interval = 10 m"
            + ", viesti.outbox.idle-after = 1 s";
    try (TestNode node = TestNode.start(database, works, slow);
        ViestiClient client =
            ViestiClient.builder("shop").dataSource(database.dataSource()).build()) {
      makeApp(node);
      until("the node listens", () -> listeners(database) == 1);
      for (int n = 1; n <= 20; n++) {
        String json = Integer.toString(n);
        client.inTransaction(connection -> client.append(connection, event("one", null, json)));
        int expected = n;
        until("it is handled", () -> handled.size() == expected);
      }
      long own = pid(database);
      database.execute("select pg_terminate_backend(" + own + ")");
      until("the node listens again", () -> listeners(database) == 1 && pid(database) != own);
      client.inTransaction(connection -> client.append(connection, event("one", null, "21")));
      until("it is handled", () -> handled.size() == 21);
      database.execute("select pg_notify('viesti', 'No App!,shop,*')"); // harms nobody
      client.inTransaction(connection -> client.append(connection, event("one", null, "22")));
      until("it is handled", () -> handled.size() == 22);
    }
  }

  private static final String LISTENER =
      " from pg_stat_activity where datname = current_database()"
          + " and application_name = 'viesti-wake' and query = 'listen viesti'";

  private static long listeners(TestDatabase database) {
    return Long.parseLong(text(database, "select count(*)" + LISTENER));
  }

  private static long pid(TestDatabase database) {
    return Long.parseLong(text(database, "select coalesce(max(pid), 0)" + LISTENER));
  }

  /** What a receiver sees must not depend on the door that an event came through. */
  @Test
  void looksLikeTheSameEventSentOverHttp() throws Exception {
    TestDatabase database = TestNode.database();
    Queue<dev.viesti.protocol.event.Event> seen = new ConcurrentLinkedQueue<>();
    Map<String, EventHandler> handlers =
        Map.of(
            "works",
            call -> {
              seen.add(call.event());
              return Outcome.Succeeded.PLAIN;
            });
    byte[] sent =
        """
        {"specversion":"1.0","id":"order-1 ä","source":"/shop","type":"one","subject":"c \\"7\\"",\
        "time":"2026-01-02T03:04:05Z","dataschema":"urn:a\\\\b","tenant":"ü","count":7,"live":true,\
        "traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","data":{"n": 1.0}}"""
            .getBytes(StandardCharsets.UTF_8);
    var expected = CloudEvents.withSystemIds().parseStructured(sent);
    try (TestNode node = TestNode.start(database, handlers, QUICK)) {
      makeApp(node);
      append(
          database,
          Event.of("/shop", "one")
              .id("order-1 ä")
              .subject("c \"7\"")
              .time(Instant.parse("2026-01-02T03:04:05Z"))
              .dataSchema("urn:a\\b")
              .extension("tenant", "ü")
              .extension("count", 7)
              .extension("live", true)
              .traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
              .json("{\"n\": 1.0}")
              .build());
      until("it is handled", () -> !seen.isEmpty());
      assertThat(seen).containsExactly(expected);
      // and the HTTP door knows it as one that was there
      assertThat(get(node.viesti.publish(APP, List.of(expected))).getFirst().duplicate()).isTrue();
    }
  }

  private static Event event(String type, @Nullable String subject, String json) {
    Event.Builder event = Event.of("/shop", type).json(json);
    return subject == null ? event.build() : event.subject(subject).build();
  }

  private static void append(TestDatabase database, Event... events) throws Exception {
    try (Connection connection = database.connect()) {
      CLIENT.append(connection, events);
    }
  }

  private static void makeApp(TestNode node) {
    get(node.viesti.putApp(APP, AppSettings.DEFAULT, null, "test"));
    put(node, "one", "one", null);
    put(node, "two-a", "two", null);
    put(node, "two-b", "two", null);
    put(node, "ordered", "ordered", OrderBy.SUBJECT);
  }

  private static void put(TestNode node, String id, String type, @Nullable OrderBy orderBy) {
    get(
        node.viesti.putTrigger(
            APP, new TriggerId(id), handler("works", type, 3, orderBy), null, "test"));
  }

  private static long rows(TestDatabase database) {
    return Long.parseLong(text(database, "select count(*) from viesti.outbox"));
  }

  private static String text(TestDatabase database, String sql) {
    try {
      return database.queryText(sql);
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }
}
