package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.handler;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.TriggerId;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.SQLException;
import java.time.Clock;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * PostgreSQL says no for a reason that passes: its disk or its memory is full, it shuts down, it
 * has a deadlock. Callers are told to come again, nobody that their event is wrong, and what has
 * run is settled later, once.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ServerErrorsPostgresTest {
  private final Queue<HandlerCall> calls = new ConcurrentLinkedQueue<>();
  private final Map<String, EventHandler> handlers =
      Map.of(
          "second-time",
          call -> {
            calls.add(call);
            return call.attempt() == 1 ? new Outcome.Retryable("first") : Outcome.Succeeded.PLAIN;
          });
  private TestDatabase database;
  private TestNode node;

  @BeforeAll
  void start() throws Exception {
    database = TestNode.database();
    database.execute("create table effect (event text not null)");
    node =
        TestNode.started(
            new NodeOptions(
                    database.url(),
                    database.user(),
                    database.password(),
                    ConfigFactory.parseString("viesti.outbox.retry-in-memory = 0"),
                    handlers,
                    new SimpleMeterRegistry(),
                    Clock.systemUTC())
                .withTransactionalHandlers(Map.of("writes", this::write)));
  }

  @AfterAll
  void stop() {
    node.close();
  }

  @AfterEach
  void agree() throws SQLException {
    database.execute("drop trigger if exists refuse on viesti.outbox");
    database.execute("drop trigger if exists refuse on effect");
  }

  private Outcome write(HandlerCall call, java.sql.Connection connection) throws SQLException {
    calls.add(call);
    try (var statement = connection.prepareStatement("insert into effect values (?)")) {
      statement.setString(1, call.event().cloudEventId());
      statement.executeUpdate();
    }
    return Outcome.Succeeded.PLAIN;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "53100", // disk full
        "53200", // out of memory
        "53300", // too many connections
        "57P01", // shuts down
        "57P02", // crashed
        "57P03", // starts
        "58030", // I/O error
        "40P01", // deadlock
        "55P03", // lock not available
        "25006", // became a standby
        "XX000" // internal error
      })
  void costsNobodyAnything(String state) throws Exception {
    AppId app = make("state-" + state.toLowerCase(Locale.ROOT), "second-time", 3);
    Event event = event("id-1", "any", null, "1");
    refuse("viesti.outbox", "insert", state);
    for (int n = 0; n < 2; n++) {
      assertThatThrownBy(() -> get(node.viesti.publish(app, List.of(event))))
          .isInstanceOfSatisfying(
              RefusedException.class,
              refused -> assertThat(refused.refusal()).isInstanceOf(Refusal.Unavailable.class));
    }
    agree();
    refuse("viesti.outbox", "update or delete", state);
    until("it is accepted", () -> isAccepted(app, event));
    until("the first attempt is made", () -> calls(app) == 1);
    agree();
    until("it is settled", () -> count("viesti.outbox where app_id = '" + app + "'") == 0);
    assertThat(calls(app)).isEqualTo(2);
    assertThat(count("viesti.dead_letter where app_id = '" + app + "'")).isZero();
  }

  /** The event is not to blame for it, so its attempts are not used up. */
  @ParameterizedTest
  @ValueSource(strings = {"53100", "53200"})
  void doesNotCountAsAnAttemptOfAHandlerInATransaction(String state) throws Exception {
    AppId app = make("effect-" + state, "writes", 2);
    refuse("effect", "insert", state);
    get(node.viesti.publish(app, List.of(event("id-" + state, "any", null, "1"))));
    until("it has tried more often than it may", () -> calls(app) > 3);
    agree();
    until("it has taken effect", () -> count("effect where event = 'id-" + state + "'") == 1);
    assertThat(count("viesti.dead_letter where app_id = '" + app + "'")).isZero();
  }

  private AppId make(String name, String handler, int maxAttempts) {
    var app = new AppId(name);
    get(node.viesti.putApp(app, AppSettings.DEFAULT, null, "me"));
    get(
        node.viesti.putTrigger(
            app, new TriggerId("t"), handler(handler, "*", maxAttempts), null, "me"));
    return app;
  }

  private void refuse(String table, String deeds, String state) throws SQLException {
    database.execute(
        """
        create or replace function refuse() returns trigger language plpgsql as $$
        begin
          raise exception 'not now' using errcode = '%s';
        end $$;
        create trigger refuse before %s on %s for each row execute function refuse();
        """
            .formatted(state, deeds, table));
  }

  private boolean isAccepted(AppId app, Event event) {
    try {
      return get(node.viesti.publish(app, List.of(event))).getFirst().deliveries() == 1;
    } catch (RefusedException notYet) {
      return false; // its owner makes sure that it still is the owner
    }
  }

  private long calls(AppId app) {
    return calls.stream().filter(call -> call.app().equals(app)).count();
  }

  private long count(String from) {
    try {
      return Long.parseLong(database.queryText("select count(*) from " + from));
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }
}
