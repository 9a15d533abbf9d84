package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.handler;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.client.ViestiClient;
import dev.viesti.persistence.embedded.EmbeddedPostgres;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import dev.viesti.persistence.schema.SchemaMigrator;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Senders that repeat themselves with the same source and id, through either door, while PostgreSQL
 * and the node are restarted under them: each event counts once.
 */
final class DuplicatesPostgresTest {
  private static final AppId APP = new AppId("shop");

  private final Queue<String> handled = new ConcurrentLinkedQueue<>();
  private final Map<String, EventHandler> handlers =
      Map.of(
          "works",
          call -> {
            handled.add(call.event().cloudEventId());
            return Outcome.Succeeded.PLAIN;
          });
  private EmbeddedPostgres postgres;
  private TestDatabase database;
  private ViestiClient client;

  @BeforeEach
  void start() {
    postgres =
        EmbeddedPostgres.start(
            TestPostgres.freshDirectory().resolve("data"), TestPostgres.settings());
    database = new TestDatabase(postgres.jdbcUrl(), postgres.user(), postgres.password());
    new SchemaMigrator(database.dataSource()).migrate(SchemaMigrator.Mode.AUTO);
    client = ViestiClient.builder("shop").dataSource(database.dataSource()).build();
  }

  @AfterEach
  void stop() {
    client.close();
    postgres.close();
  }

  @Test
  void countOnceHoweverOftenTheyAreRepeated() throws Exception {
    try (TestNode node = node()) {
      get(node.viesti.putApp(APP, AppSettings.of(null, 8, false, null), null, "me"));
      get(node.viesti.putTrigger(APP, new TriggerId("t"), handler("works", "*", 5), null, "me"));
      assertThat(published(node, "a")).isFalse();
      assertThat(appended("b")).isFalse();
      until("both are handled", () -> handled.size() == 2 && rows() == 0);
      assertDuplicates(node, "a", "b");

      postgres.stopHard();
      assertThatThrownBy(() -> published(node, "c")).isInstanceOf(RefusedException.class);
      assertThatThrownBy(() -> appended("d")).isInstanceOf(SQLException.class);
      postgres.startAgain();
      until("it is accepted", () -> isAccepted(node, "c"));
      appended("d");
      assertDuplicates(node, "a", "b", "c", "d");

      // accepted, and neither run nor forgotten while both go away
      until("all are handled", () -> handled.size() == 4 && rows() == 0);
      get(node.viesti.putApp(APP, AppSettings.of(null, 8, true, null), null, "me"));
      assertThat(published(node, "e")).isFalse();
      assertThat(appended("f")).isFalse();
    }
    postgres.stopHard();
    postgres.startAgain();
    try (TestNode node = node()) {
      assertDuplicates(node, "a", "b", "c", "d", "e", "f");
      get(node.viesti.putApp(APP, AppSettings.of(null, 8, false, null), null, "me"));
      until("all are handled", () -> rows() == 0);
      assertDuplicates(node, "e", "f");
      assertThat(published(node, "g")).as("another one").isFalse();
      until("it is handled", () -> handled.contains("g") && rows() == 0);
    }
    assertThat(handled).containsExactlyInAnyOrder("a", "b", "c", "d", "e", "f", "g");
  }

  private TestNode node() {
    return TestNode.start(database, handlers, "viesti.node.sweep-interval = 1 s");
  }

  private void assertDuplicates(TestNode node, String... ids) throws SQLException {
    for (String id : ids) {
      assertThat(published(node, id)).as("published: " + id).isTrue();
      assertThat(appended(id)).as("appended: " + id).isTrue();
    }
  }

  /**
   * @return whether it was a duplicate
   */
  private static boolean published(TestNode node, String id) {
    return get(node.viesti.publish(APP, List.of(TestNode.event(id, "any", null, "1"))))
        .getFirst()
        .duplicate();
  }

  private static boolean isAccepted(TestNode node, String id) {
    try {
      published(node, id);
      return true;
    } catch (RefusedException notYet) {
      return false;
    }
  }

  /**
   * @return whether it was a duplicate
   */
  private boolean appended(String id) throws SQLException {
    var event = dev.viesti.client.Event.of("shop", "any").id(id).json("1").build();
    return client.inTransaction(connection -> client.append(connection, event)).duplicate();
  }

  private long rows() {
    try {
      return Long.parseLong(database.queryText("select count(*) from viesti.outbox"));
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }
}
