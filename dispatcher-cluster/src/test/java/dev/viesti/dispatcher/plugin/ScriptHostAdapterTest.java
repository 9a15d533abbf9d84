package dev.viesti.dispatcher.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.dispatcher.execution.Execution.Ended;
import dev.viesti.persistence.effects.Effects;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.PluginLimits;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a script may ask of its host. */
@Timeout(300)
class ScriptHostAdapterTest extends ScriptSandbox {
  @Test
  void reachesTheStoreUnderItsPermissions() throws Exception {
    assertThat(
            returned(
                """
                const kv = viesti.kv;
                kv.put('orders/1', { n: 1 });
                kv.putText('orders/2', 'text');
                kv.put('orders/30', null);
                return [kv.get('orders/1'), kv.getText('orders/2'), kv.get('orders/4'),
                  kv.list('orders/'), kv.list('orders/3'), kv.list('orders/', { limit: 1 }),
                  kv.list('orders/', { after: 'orders/1' }), kv.delete('orders/1'),
                  kv.delete('orders/1'), kv.get('orders/1')];
                """))
        .isEqualTo(
            "[{\"n\":1},\"text\",null,[\"orders/1\",\"orders/2\",\"orders/30\"],[\"orders/30\"],"
                + "[\"orders/1\"],[\"orders/2\",\"orders/30\"],true,false,null]");
    assertThat(store.kv(APP))
        .containsExactly(
            Map.entry("orders/2", Payload.ofJson("text")),
            Map.entry("orders/30", Payload.ofJson("null")));
    assertThat(reason(deliver(script(COUNT, "kv:read:orders"), "{\"by\":1}")))
        .startsWith("the target does not permit kv:read on 'counters'");
  }

  @Test
  void publishesWhatDescendsFromItsEvent() throws Exception {
    String source =
        """
        function handleEvent(type, payload) {
          viesti.events.publish('seen', { type, n: payload.n }, { subject: 's' });
          viesti.events.publish('empty');
        }
        """;
    assertThat(deliver(script(source, ALL), "{\"n\":1}")).isEqualTo(new Ended.Settled());
    Event seen = store.events().getFirst();
    assertThat(seen.source()).isEqualTo("script/counting");
    assertThat(seen.subject()).isEqualTo("s");
    assertThat(seen.depth()).isEqualTo(1);
    assertThat(seen.data().utf8()).isEqualTo("{\"type\":\"order.created\",\"n\":1}");
    assertThat(store.events().getLast().data()).isEqualTo(Payload.NONE);
  }

  @Test
  void readsEntitiesOfPluginsAndWritesNone() throws Exception {
    var type =
        new EntityType(
            "order", List.of(new EntityType.Field("n", EntityType.FieldType.INTEGER, false, null)));
    var manifest =
        new Manifest(
            Given.PLUGIN,
            "Orders",
            "1.0.0",
            List.of(),
            List.of(),
            List.of(type),
            List.of(),
            null,
            PluginLimits.DEFAULT);
    runtime.configure(
        APP, List.of(new InstalledPlugin(manifest, "0".repeat(64), null, false, null)), any -> {});
    store.commit(
        List.of(
            new Effects(
                APP,
                1,
                null,
                "me",
                List.of(),
                List.of(
                    new Effects.EntityWrite.Insert(
                        Given.PLUGIN, "order", new UUID(0, 1), "{\"n\":7}")),
                List.of(),
                List.of())));
    assertThat(returned("return viesti.entities.query('orders/order').rows[0].n")).isEqualTo("7");
    assertThat(
            returned(
                "return viesti.entities.query('orders/order', { where: [{ field: 'n', op: 'eq', value: 8 }] }).rows.length"))
        .isEqualTo("0");
    assertThat(returned("return viesti.entities.query('order')"))
        .contains("there is no entity 'order': a script says whose, as in crm/order");
    for (String write :
        List.of(
            "insert('orders/order', { n: 1 })",
            "update('orders/order', 'x', 1, {})",
            "delete('orders/order', 'x', 1)")) {
      assertThat(returned("return viesti.entities." + write))
          .contains("entities are written by the plugin that they belong to");
    }
    assertThat(returned("return viesti.numbering.next('order')"))
        .contains("numbers are counted by plugins");
    assertThat(returned("return viesti.config.get('')"))
        .contains("a configuration belongs to a plugin");
  }

  @Test
  void seesWhatItsCallIsAbout() throws Exception {
    assertThat(
            returned(
                """
                const { app, principal, deliveryId, attempt, now, permissions } = viesti.context;
                return [app, principal, deliveryId, attempt, now, permissions[0]];
                """))
        .isEqualTo(
            "[\"shop\",\"alice\",null,1,%d,\"kv:read:*\"]".formatted(Given.NOON.toEpochMilli()));
  }

  @Test
  void saysWhichArgumentIsWrong() throws Exception {
    assertThat(returned("viesti.kv.get(7)")).contains("kv.get: key (argument 1) is to be a text");
    assertThat(returned("viesti.kv.get('7')"))
        .contains("a key is collection/key, as in orders/4711, not '7'");
    assertThat(returned("viesti.kv.list('a/', 7)")).contains("argument 2) is to be an object");
    assertThat(returned("viesti.kv.list('a/', { after: 'b/' })"))
        .contains("after is a key of 'a/'");
    assertThat(returned("viesti.events.publish('t', 1, { subject: 7 })"))
        .contains("subject is a text");
  }
}
