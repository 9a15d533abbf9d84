package dev.viesti.dispatcher.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.dispatcher.json.Json;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.persistence.Database;
import dev.viesti.persistence.effects.Effects;
import dev.viesti.persistence.effects.EffectsRepository;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import dev.viesti.persistence.schema.SchemaMigrator;
import dev.viesti.persistence.schema.SchemaMigrator.Mode;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.EntityType.Field;
import dev.viesti.protocol.plugin.EntityType.FieldType;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.Permission;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.plugin.PluginLimits;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Entities as a call sees them. The same calls are made on PostgreSQL and on the store that plugins
 * are tried out with: neither may tell them apart.
 */
class HostEntitiesPostgresTest {
  private static final PluginId CRM = new PluginId("crm");
  private static final EntityType CUSTOMER =
      new EntityType(
          "customer",
          List.of(
              new Field("name", FieldType.STRING, true, null),
              new Field("age", FieldType.INTEGER, false, null),
              new Field("rating", FieldType.NUMBER, false, null),
              new Field("vip", FieldType.BOOLEAN, false, null),
              new Field("since", FieldType.TIMESTAMP, false, null),
              new Field("born", FieldType.DATE, false, null),
              new Field("more", FieldType.JSON, false, null),
              new Field(
                  "boss", FieldType.REFERENCE, false, new EntityType.Reference(null, "customer"))));

  private static Database database;
  private static Database reads;

  private final LocalStore local = new LocalStore(Clock.fixed(Given.NOON, ZoneOffset.UTC));
  private final AppId app = new AppId("a-" + UUID.randomUUID());

  @BeforeAll
  static void opens() throws Exception {
    TestDatabase fresh = TestPostgres.freshDatabase();
    new SchemaMigrator(fresh.dataSource()).migrate(Mode.AUTO);
    var patience = Duration.ofSeconds(10);
    database = Database.open(fresh.url(), fresh.user(), fresh.password(), 4, patience);
    reads = Database.openForPlugins(fresh.url(), fresh.user(), fresh.password(), 2, patience);
  }

  @AfterAll
  static void closes() {
    reads.close();
    database.close();
  }

  /** One call, made on both stores side by side. */
  private final class Both {
    final CallBuffer inMemory = new CallBuffer();
    final CallBuffer inPostgres = new CallBuffer();
    final HostApi onMemory;
    final HostApi onPostgres;

    Both(long ids, String... permissions) {
      onMemory = api(inMemory, local, ids, permissions);
      onPostgres = api(inPostgres, new StoredReads(reads), ids, permissions);
    }

    Both() {
      this(UUID.randomUUID().getLeastSignificantBits(), Given.ALL);
    }

    /** What both answer, with the error as text. */
    String same(Asked asked) {
      String one = answer(onMemory, asked);
      assertThat(answer(onPostgres, asked)).isEqualTo(one);
      return one;
    }

    void commit() throws Exception {
      assertThat(local.commit(List.of(effects(inMemory))))
          .containsExactly(new Effects.Result.Committed());
      assertThat(new EffectsRepository(database).commit(List.of(effects(inPostgres))))
          .containsExactly(new Effects.Result.Committed());
    }
  }

  private interface Asked {
    String of(HostApi api) throws HostException, WasmTrapException;
  }

  private static String answer(HostApi api, Asked asked) {
    try {
      return asked.of(api);
    } catch (HostException refused) {
      return "refused: " + refused.getMessage();
    } catch (WasmTrapException trap) {
      throw new AssertionError(trap);
    }
  }

  private HostApi api(CallBuffer buffer, Reads store, long seed, String... permissions) {
    var random = new Random(seed);
    var plugin = new InstalledPlugin(manifest(permissions), "0".repeat(64), null, true, null);
    return new HostApi(
        new CallScope(app, plugin, "alice", null, 1, Given.NOON, null),
        buffer,
        new HostApi.Parts(
            store,
            new HostApi.Store() {
              @Override
              public <T extends @Nullable Object> T read(Callable<T> read) {
                try {
                  return read.call();
                } catch (RuntimeException known) {
                  throw known;
                } catch (Exception failed) {
                  throw new AssertionError(failed);
                }
              }
            },
            line -> {},
            () -> new UUID(random.nextLong(), random.nextLong()),
            other -> other.equals(CRM) ? manifest() : null,
            16));
  }

  private static Manifest manifest(String... permissions) {
    return new Manifest(
        CRM,
        "CRM",
        "1",
        Arrays.stream(permissions).map(Permission::of).toList(),
        List.of(),
        List.of(CUSTOMER),
        List.of(),
        null,
        PluginLimits.DEFAULT);
  }

  /** The owner's row is there, as if it had claimed its outbox. */
  private Effects effects(CallBuffer buffer) throws Exception {
    try (var connection = database.connection();
        var statement =
            connection.prepareStatement(
                "insert into outbox_owner (app_id, epoch, since) values (?, 1, now())"
                    + " on conflict do nothing")) {
      statement.setString(1, app.value());
      statement.executeUpdate();
    }
    return new Effects(
        app,
        1,
        null,
        "plugin:crm for alice",
        List.of(),
        buffer.entityWrites(),
        List.of(),
        List.of());
  }

  @Test
  void answersLikePostgresWhateverIsAsked() throws Exception {
    var random = new Random(42);
    List<String> ids = new ArrayList<>();
    for (int call = 0; call < 40; call++) {
      var both = new Both(call, Given.ALL);
      for (int step = 0; step < 12; step++) {
        String id =
            ids.isEmpty() ? UUID.randomUUID().toString() : ids.get(random.nextInt(ids.size()));
        switch (random.nextInt(6)) {
          case 0, 1 -> {
            long seed = random.nextLong();
            String made =
                both.same(api -> api.entityInsert("customer", fields(new Random(seed), ids)));
            if (!made.startsWith("refused")) {
              ids.add(made);
            }
          }
          case 2 -> {
            long seed = random.nextLong();
            long version = 1L + random.nextInt(3);
            both.same(
                api ->
                    "" + api.entityUpdate("customer", id, version, fields(new Random(seed), ids)));
          }
          case 3 -> {
            long version = 1L + random.nextInt(2);
            both.same(
                api -> {
                  api.entityDelete("customer", id, version);
                  return "";
                });
          }
          default -> {
            String query = query(new Random(random.nextLong()));
            both.same(api -> withoutTimes(api.entityQuery("customer", query)));
          }
        }
      }
      both.commit();
    }
    assertThat(ids).hasSizeGreaterThan(50);
  }

  private static String fields(Random random, List<String> ids) {
    ObjectNode fields = JsonText.object();
    fields.put(
        "name", List.of("Anna", "Bert", "anna", "Ärger", "Z\uD83D\uDE00").get(random.nextInt(5)));
    if (random.nextBoolean()) {
      fields.put("age", random.nextInt(5));
    }
    if (random.nextBoolean()) {
      fields.put("rating", random.nextInt(4) / 2.0);
    }
    if (random.nextBoolean()) {
      fields.put("vip", random.nextBoolean());
    }
    if (random.nextBoolean()) {
      fields.put("since", "2026-01-0%dT12:00:00+02:00".formatted(1 + random.nextInt(3)));
    }
    if (random.nextBoolean()) {
      fields.put("born", "200%d-02-03".formatted(random.nextInt(3)));
    }
    if (random.nextInt(4) == 0 && !ids.isEmpty()) {
      fields.put("boss", ids.get(random.nextInt(ids.size())));
    }
    if (random.nextInt(5) == 0) {
      fields.putNull("age");
    }
    return fields.toString();
  }

  private static String query(Random random) {
    ObjectNode query = JsonText.object();
    List<String> names = List.of("name", "age", "rating", "vip", "since", "born", "version");
    List<Object> values = List.of("Bert", 2, 0.5, true, "2026-01-02T10:00:00Z", "2001-02-03", 1);
    var where = query.putArray("where");
    for (int n = random.nextInt(3); n > 0; n--) {
      int at = random.nextInt(names.size());
      ObjectNode condition = where.addObject();
      condition.put("field", names.get(at));
      List<String> ops = List.of("eq", "ne", "lt", "le", "gt", "ge", "is_null", "in");
      String op = ops.get(random.nextInt(at == 3 ? 2 : ops.size()));
      condition.put("op", op);
      JsonNode value = Json.MAPPER.valueToTree(values.get(at));
      switch (op) {
        case "is_null" -> condition.put("value", random.nextBoolean());
        case "in" -> condition.putArray("value").add(value);
        default -> condition.set("value", value);
      }
    }
    var sort = query.putArray("sort");
    for (int n = random.nextInt(3); n > 0; n--) {
      sort.addObject()
          .put("field", names.get(random.nextInt(names.size())))
          .put("descending", random.nextBoolean());
    }
    query.put("limit", 1 + random.nextInt(100));
    return query.toString();
  }

  /**
   * When a row was written is each store's own; so is the form of a cursor, but not whether there
   * is one.
   */
  private static String withoutTimes(String json) {
    try {
      var all = (ObjectNode) JsonText.tree(json);
      for (JsonNode row : all.get("rows")) {
        ((ObjectNode) row).remove(List.of("_created_at", "_updated_at"));
      }
      all.put("cursor", !all.get("cursor").isNull());
      return all.toString();
    } catch (com.fasterxml.jackson.core.JsonProcessingException wrong) {
      throw new AssertionError(wrong);
    }
  }

  @Test
  void seesItsOwnChangesInQueries() throws Exception {
    var first = new Both();
    String anna = first.same(api -> api.entityInsert("customer", "{\"name\":\"Anna\",\"age\":7}"));
    String bert = first.same(api -> api.entityInsert("customer", "{\"name\":\"Bert\",\"age\":9}"));
    first.commit();
    var both = new Both();
    assertThat(both.same(api -> "" + api.entityUpdate("customer", anna, 1, "{\"age\":8}")))
        .isEqualTo("2");
    both.same(
        api -> {
          api.entityDelete("customer", bert, 1);
          return "";
        });
    both.same(api -> api.entityInsert("customer", "{\"name\":\"Cleo\"}"));
    String seen =
        both.same(
            api -> withoutTimes(api.entityQuery("customer", "{\"sort\":[{\"field\":\"name\"}]}")));
    assertThat(seen)
        .contains("\"name\":\"Anna\",\"age\":8")
        .contains("Cleo")
        .doesNotContain("Bert");
    // a second change of the same call builds on its first
    assertThat(both.same(api -> "" + api.entityUpdate("customer", anna, 2, "{\"vip\":true}")))
        .isEqualTo("2");
    both.commit();
    assertThat(new Both().same(api -> withoutTimes(api.entityQuery("customer", "{}"))))
        .contains("\"version\":2,\"name\":\"Anna\",\"age\":8,\"vip\":true");
  }

  /** Two hundred large ones at a time would fill a heap. */
  @Test
  void endsPagesThatGrowTooLarge() throws Exception {
    var both = new Both();
    for (int n = 0; n < 8; n++) {
      String fields = "{\"name\":\"%d\",\"more\":\"%s\"}".formatted(n, "x".repeat(200_000));
      both.same(api -> api.entityInsert("customer", fields));
    }
    both.commit();
    HostApi api = new Both().onPostgres;
    JsonNode first = JsonText.tree(api.entityQuery("customer", "{\"limit\":200}"));
    assertThat(first.get("rows")).hasSize(6);
    String rest = "{\"limit\":200,\"cursor\":\"%s\"}".formatted(first.get("cursor").asText());
    JsonNode second = JsonText.tree(api.entityQuery("customer", rest));
    assertThat(second.get("rows")).hasSize(2);
    assertThat(second.get("cursor").isNull()).isTrue();
  }

  @Test
  void saysWhatIsWrong() {
    var both = new Both();
    String id = both.same(api -> api.entityInsert("customer", "{\"name\":\"Anna\"}"));
    assertThat(both.same(api -> api.entityInsert("customer", "{}"))).contains("name: is required");
    assertThat(both.same(api -> api.entityInsert("customer", "{\"name\":\"A\",\"x\":1}")))
        .contains("x: is no field");
    assertThat(both.same(api -> api.entityInsert("order", "{}"))).contains("no entity 'order'");
    assertThat(both.same(api -> "" + api.entityUpdate("customer", id, 4, "{}")))
        .contains("is at version 1, not 4");
    assertThat(both.same(api -> "" + api.entityUpdate("customer", "x", 1, "{}")))
        .contains("an id is a UUID");
    assertThat(both.same(api -> "" + api.entityUpdate("customer", id, 1, "[]")))
        .contains("fields must be a JSON object");
    assertThat(
            both.same(
                api ->
                    api.entityInsert(
                        "customer", "{\"name\":\"A\",\"boss\":\"%s\"}".formatted(new UUID(1, 2)))))
        .contains("boss: there is no entity 'customer'");
    assertThat(both.same(api -> api.entityQuery("customer", "{\"where\":[{\"field\":\"x\"}]}")))
        .startsWith("refused: where[0]");
    assertThat(both.same(api -> api.entityQuery("crm/customer", "{}"))).contains("Anna");
    assertThat(both.same(api -> api.entityQuery("erp/customer", "{}")))
        .contains("no entity 'erp/customer'");
  }

  @Test
  void doesWhatIsPermitted() {
    var both = new Both(1, "entity:read:customer");
    assertThat(both.same(api -> api.entityInsert("customer", "{\"name\":\"A\"}")))
        .contains("does not permit entity:write on 'customer'");
    assertThat(both.same(api -> api.entityQuery("customer", "{}"))).contains("\"rows\":[]");
    refused(() -> new Both(1).onPostgres.entityQuery("customer", "{}"));
    refused(() -> new Both(1).onPostgres.entityDelete("customer", UUID.randomUUID().toString(), 1));
    refused(
        () -> new Both(1).onPostgres.entityUpdate("customer", UUID.randomUUID().toString(), 1, ""));
  }

  private static void refused(ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(HostException.class).hasMessageContaining("permit");
  }
}
