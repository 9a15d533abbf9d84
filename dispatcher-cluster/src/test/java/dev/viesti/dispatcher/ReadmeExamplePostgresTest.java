package dev.viesti.dispatcher;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import dev.viesti.persistence.schema.SchemaMigrator;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.trigger.EventPattern;
import dev.viesti.protocol.trigger.OrderBy;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The embedding example of README.md, word for word but for the warehouse: change both. */
class ReadmeExamplePostgresTest {
  private final BlockingQueue<String> shipped = new LinkedBlockingQueue<>();

  @Test
  void theEmbeddingExampleShipsTheOrder() throws Exception {
    TestDatabase database = TestPostgres.freshDatabase();
    EventHandler ship =
        call -> {
          shipped.add(String.valueOf(call.event().subject()));
          return Outcome.Succeeded.PLAIN;
        };
    new SchemaMigrator(database.dataSource()).migrate(SchemaMigrator.Mode.AUTO);
    ViestiNode node =
        ViestiNode.start(
            new NodeOptions(
                database.url(),
                database.user(),
                database.password(),
                ConfigFactory.empty(),
                Map.of("ship", ship),
                new SimpleMeterRegistry(),
                Clock.systemUTC()));
    try (Viesti viesti = node.viesti()) {
      AppId shop = new AppId("shop");
      Trigger onOrder =
          Trigger.of(
              EventPattern.of(null, "orders.*", null),
              null,
              new Target.Handler("ship"),
              null,
              null,
              null,
              OrderBy.SUBJECT,
              null);
      Event order =
          Event.of(
              UUID.randomUUID(),
              "web",
              "orders.created",
              "customer-7",
              Payload.ofJson("{\"n\":1}"));
      viesti
          .putApp(shop, AppSettings.DEFAULT, null, "setup")
          .thenCompose(
              app -> viesti.putTrigger(shop, new TriggerId("ship"), onOrder, null, "setup"))
          .thenCompose(trigger -> viesti.publish(shop, List.of(order)))
          .toCompletableFuture()
          .join();
      assertThat(shipped.poll(30, TimeUnit.SECONDS)).isEqualTo("customer-7");
    }
  }
}
