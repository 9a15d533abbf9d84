package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.handler;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What a handler writes and the settling of its delivery are one transaction. */
final class TransactionalHandlerPostgresTest {
  private static final AppId APP = new AppId("shop");

  private final TestDatabase database = prepared();
  private final AtomicInteger calls = new AtomicInteger();

  @Test
  void commitsWhatItWroteWithTheSettlement() throws Exception {
    try (TestNode node = start((call, connection) -> insert(connection, call.event().type()))) {
      get(node.viesti.publish(APP, List.of(event("a", null, "1"), event("b", null, "1"))));
      until("both took effect", () -> effects().equals("a b"));
      until("both are settled", () -> count("viesti.outbox") == 0);
      assertThat(calls).hasValue(2);
    }
  }

  @Test
  void rollsBackEveryOutcomeButSuccess() throws Exception {
    try (TestNode node =
        start(
            (call, connection) -> {
              insert(connection, call.event().type() + call.attempt());
              return switch (call.attempt()) {
                case 1 -> new Outcome.Retryable("again");
                case 2 -> throw new IllegalStateException("again");
                default -> Outcome.Succeeded.PLAIN;
              };
            })) {
      get(node.viesti.publish(APP, List.of(event("a", null, "1"))));
      until("the third attempt counts", () -> count("viesti.outbox") == 0);
      assertThat(effects()).isEqualTo("a3");
    }
  }

  @Test
  void keepsItsTransactionToItself() throws Exception {
    List<String> paths = new CopyOnWriteArrayList<>();
    try (TestNode node =
        start(
            (call, connection) -> {
              for (Ending ending :
                  List.<Ending>of(
                      Connection::commit, Connection::close, c -> c.setAutoCommit(true))) {
                assertThatThrownBy(() -> ending.end(connection))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("ends with the handler");
              }
              var savepoint = connection.setSavepoint();
              insert(connection, "undone");
              connection.rollback(savepoint);
              try (var path = connection.createStatement().executeQuery("show search_path")) {
                path.next();
                paths.add(path.getString(1));
              }
              return insert(connection, "done");
            })) {
      get(node.viesti.publish(APP, List.of(event("a", null, "1"))));
      until("it took effect", () -> effects().equals("done"));
      assertThat(paths).containsExactly("\"$user\", public");
    }
  }

  /** The epoch is taken away in the middle of the first call, as by an owner elsewhere. */
  @Test
  void takesNoEffectUnderAFormerEpoch() throws Exception {
    try (TestNode node =
        start(
            (call, connection) -> {
              if (calls.get() == 1) {
                database.execute("update viesti.outbox_owner set epoch = epoch + 1");
              }
              return insert(connection, "call-" + calls.get());
            })) {
      get(node.viesti.publish(APP, List.of(event("a", null, "1"))));
      until("it is settled", () -> count("viesti.outbox") == 0);
      assertThat(calls).hasValueGreaterThan(1);
      assertThat(effects().split(" ")).hasSize(1).doesNotContain("call-1");
    }
  }

  @Test
  void takesNoEffectWhenItsDeliveryIsGone() throws Exception {
    try (TestNode node =
        start(
            (call, connection) -> {
              if (call.event().type().equals("gone")) {
                database.execute("delete from viesti.outbox where type = 'gone'");
              }
              return insert(connection, call.event().type());
            })) {
      get(node.viesti.publish(APP, List.of(event("gone", null, "1"))));
      until("it was called", () -> calls.get() == 1);
      get(node.viesti.publish(APP, List.of(event("next", null, "1"))));
      until("the next one takes effect", () -> effects().equals("next"));
    }
  }

  @Test
  void rollsBackWhenItsTimeIsUp() throws Exception {
    var never = new CountDownLatch(1);
    try (TestNode node =
        start(
            (call, connection) -> {
              insert(connection, "attempt-" + call.attempt());
              if (call.attempt() == 1) {
                never.await();
              }
              return Outcome.Succeeded.PLAIN;
            })) {
      get(node.viesti.publish(APP, List.of(event("slow", null, "1"))));
      until("the second attempt counts", () -> count("viesti.outbox") == 0);
      assertThat(effects()).isEqualTo("attempt-2");
    }
  }

  private interface Ending {
    void end(Connection connection) throws SQLException;
  }

  private TestNode start(TransactionalHandler effect) {
    TestNode node =
        TestNode.startTransactional(
            database,
            Map.of(
                "effect",
                (call, connection) -> {
                  calls.incrementAndGet();
                  return effect.handle(call, connection);
                }));
    get(node.viesti.putApp(APP, AppSettings.DEFAULT, null, "me"));
    var plain = handler("effect", "*", 5);
    var trigger =
        Trigger.of(
            null, null, plain.target(), plain.retry(), Duration.ofMillis(700), null, null, null);
    get(node.viesti.putTrigger(APP, new TriggerId("t"), trigger, null, "me"));
    return node;
  }

  private static Outcome insert(Connection connection, String name) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("insert into effect (name) values (?)")) {
      statement.setString(1, name);
      statement.executeUpdate();
    }
    return Outcome.Succeeded.PLAIN;
  }

  private String effects() {
    try {
      return database.queryText(
          "select coalesce(string_agg(name, ' ' order by name), '') from effect");
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }

  private int count(String table) {
    try {
      return Integer.parseInt(database.queryText("select count(*) from " + table));
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }

  private static TestDatabase prepared() {
    try {
      TestDatabase fresh = TestNode.database();
      fresh.execute("create table effect (name text not null)");
      return fresh;
    } catch (Exception failed) {
      throw new AssertionError(failed);
    }
  }
}
