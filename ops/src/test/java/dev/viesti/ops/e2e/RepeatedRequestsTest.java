package dev.viesti.ops.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.ops.server.Server;
import dev.viesti.ops.server.ServerSettings;
import dev.viesti.persistence.embedded.EmbeddedPostgres;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import dev.viesti.protocol.delivery.Outcome;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests that are sent again, because PostgreSQL or the server went away meanwhile. */
@Timeout(240)
final class RepeatedRequestsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Queue<String> handled = new ConcurrentLinkedQueue<>();

  @Test
  void countOnceAcrossRestartsOfPostgresAndOfTheServer() throws Exception {
    try (var postgres =
        EmbeddedPostgres.start(
            TestPostgres.freshDirectory().resolve("data"), TestPostgres.settings())) {
      try (Server server = start(postgres)) {
        var caller = new Caller(server.uri());
        caller.app("shop", "{}");
        caller.trigger("shop", "t", "{\"target\":{\"handler\":{\"name\":\"works\"}}}");
        assertThat(duplicates(caller.publish("shop", batch("a", "b")))).isEqualTo("false false");
        assertThat(duplicates(caller.publish("shop", batch("b", "c")))).isEqualTo("true false");

        postgres.stopHard();
        Caller.Answer refused = caller.publish("shop", batch("c", "d"));
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.headers().firstValue("Retry-After")).isPresent();
        postgres.startAgain();
        String batch = batch("a", "b", "c", "d");
        assertThat(duplicates(accepted(caller, batch))).isEqualTo("true true true false");
        assertThat(duplicates(caller.publish("shop", batch))).isEqualTo("true true true true");
      }
      try (Server server = start(postgres)) {
        var caller = new Caller(server.uri());
        String batch = batch("a", "b", "c", "d", "e");
        assertThat(duplicates(accepted(caller, batch))).isEqualTo("true true true true false");
        var database = new TestDatabase(postgres.jdbcUrl(), postgres.user(), postgres.password());
        Await.until(
            "the outbox is empty",
            PATIENCE,
            () -> database.queryText("select count(*) from viesti.outbox").equals("0"));
      }
    }
    assertThat(handled).containsExactlyInAnyOrder("a", "b", "c", "d", "e");
  }

  private Server start(EmbeddedPostgres postgres) throws Exception {
    Server server =
        Server.start(
            new ServerSettings(
                new ServerSettings.Http("127.0.0.1", 0, "127.0.0.1", 0),
                new ServerSettings.Storage(
                    Path.of("."), postgres.jdbcUrl(), postgres.user(), postgres.password()),
                ServerSettings.Peers.none(),
                Caller.KEY,
                true,
                "repeats"),
            Map.of(
                "works",
                call -> {
                  handled.add(call.event().cloudEventId());
                  return Outcome.Succeeded.PLAIN;
                }));
    assertThat(server.awaitReady(PATIENCE)).isTrue();
    return server;
  }

  private static String batch(String... ids) {
    return List.of(ids).stream().map(id -> Caller.event(id, "any")).toList().toString();
  }

  private static Caller.Answer accepted(Caller caller, String batch) throws Exception {
    Queue<Caller.Answer> answers = new ConcurrentLinkedQueue<>();
    Await.until(
        "it is accepted",
        PATIENCE,
        () -> {
          Caller.Answer answer = caller.publish("shop", batch);
          return answer.status() == 202 && answers.add(answer);
        });
    return answers.element();
  }

  private static String duplicates(Caller.Answer answer) {
    assertThat(answer.status()).as(answer.body().toString()).isEqualTo(202);
    StringBuilder said = new StringBuilder();
    for (JsonNode event : answer.body().path("events")) {
      said.append(event.path("duplicate").asBoolean()).append(' ');
    }
    return said.toString().strip();
  }
}
