package dev.viesti.persistence.effects;

import static dev.viesti.persistence.effects.EffectsFixture.CRM;
import static dev.viesti.persistence.effects.EffectsFixture.call;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.persistence.effects.EntityQuery.Condition;
import dev.viesti.persistence.effects.EntityQuery.Op;
import dev.viesti.persistence.effects.EntityQuery.Sort;
import dev.viesti.persistence.effects.EntityRepository.Entity;
import dev.viesti.persistence.effects.EntityRepository.Page;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.EntityType.Field;
import dev.viesti.protocol.plugin.EntityType.FieldType;
import dev.viesti.protocol.plugin.EntityType.Reference;
import dev.viesti.protocol.plugin.PluginId;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class EntityPostgresTest {
  private static final EffectsFixture FIXTURE = new EffectsFixture();
  private static final EntityRepository ENTITIES = FIXTURE.entities;
  private static final EntityType CUSTOMER =
      new EntityType(
          "customer",
          List.of(
              field("name", FieldType.STRING),
              field("age", FieldType.INTEGER),
              field("score", FieldType.NUMBER),
              field("vip", FieldType.BOOLEAN),
              field("since", FieldType.TIMESTAMP),
              field("born", FieldType.DATE),
              field("token", FieldType.UUID),
              field("extra", FieldType.JSON),
              new Field("boss", FieldType.REFERENCE, false, new Reference(null, "customer"))));

  private static Field field(String name, FieldType type) {
    return new Field(name, type, false, null);
  }

  @AfterAll
  static void close() {
    FIXTURE.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          name  | EQ       | Bob    | 2
          name  | NE       | Bob    | 1 3 4 5
          name  | LT       | Bob    | 1
          name  | LE       | Bob    | 1 2
          name  | GT       | Bob    | 3 4
          name  | PREFIX   | B      | 2
          name  | CONTAINS | o      | 2 4
          name  | CONTAINS | %      |
          name  | IS_NULL  | true   | 5
          name  | IS_NULL  | false  | 1 2 3 4
          age   | EQ       | 10     | 2
          age   | LT       | 10     | 1 3
          age   | GE       | 9      | 2 3
          score | GT       | 1.5    | 1 2
          score | EQ       | 2.0    | 1
          vip   | EQ       | true   | 1
          vip   | NE       | true   | 2 3 4 5
          since | LT       | 2026-01-01T00:00:00Z      | 2
          since | EQ       | 2026-01-01T01:00:00+01:00 | 1
          born  | GE       | 2000-01-01 | 3
          token | EQ       | 00000000-0000-0000-0000-00000000000A | 1
          boss  | EQ       | 00000000-0000-7000-0000-000000000001 | 2
          extra | IS_NULL  | false  | 4
          id    | EQ       | 00000000-0000-7000-0000-000000000003 | 3
          version | GT     | 1      | 4
          _created_at | LT | 2020-01-01T00:00:00Z |
          _updated_at | GT | 2020-01-01T00:00:00Z | 1 2 3 4 5
          """)
  void findsByEachKindOfComparison(String name, Op op, String value, String found)
      throws Exception {
    AppId app = people();
    Object typed =
        switch (name) {
          case "age", "score", "version" -> new BigDecimal(value);
          case "vip" -> Boolean.valueOf(value);
          default -> op == Op.IS_NULL ? Boolean.valueOf(value) : value;
        };
    assertThat(found(app, new Condition(name, op, typed))).isEqualTo(found == null ? "" : found);
  }

  @Test
  void findsByLists() throws Exception {
    AppId app = people();
    assertThat(found(app, new Condition("name", Op.IN, List.of("Bob", "Cid", "x"))))
        .isEqualTo("2 3");
    assertThat(found(app, new Condition("age", Op.IN, List.of(10, 9L)))).isEqualTo("2 3");
    assertThat(found(app, new Condition("age", Op.IN, List.of()))).isEmpty();
    assertThat(found(app, new Condition("age", Op.GE, 9), new Condition("name", Op.PREFIX, "C")))
        .isEqualTo("3");
  }

  @ParameterizedTest
  @CsvSource({
    "name, false, 1 2 3 4 5",
    "name, true, 4 3 2 1 5",
    "age, false, 1 3 2 4 5",
    "age, true, 2 3 1 4 5",
    "since, false, 2 1 3 4 5",
    "vip, true, 1 2 3 4 5",
    "id, true, 5 4 3 2 1",
  })
  void sortsByTypeAndPutsMissingValuesLast(String name, boolean descending, String order)
      throws Exception {
    AppId app = people();
    for (int limit : new int[] {1, 2, 200}) {
      var query = new EntityQuery(List.of(), List.of(new Sort(name, descending)), limit, null);
      assertThat(numbers(pages(app, query))).isEqualTo(order);
    }
  }

  @Test
  void comesWithItsVersionAndWhoChangedItAndWhen() throws Exception {
    AppId app = people();
    Entity four = Objects.requireNonNull(ENTITIES.get(app, CRM, "customer", id(4)));
    assertThat(four.version()).isEqualTo(2);
    assertThat(four.json()).isEqualTo("{\"name\": \"Dora-o\", \"extra\": [1]}");
    assertThat(four.createdBy()).isEqualTo("plugin:crm");
    assertThat(four.updatedBy()).isEqualTo("plugin:crm");
    assertThat(four.updatedAt()).isAfter(four.createdAt());
  }

  @Test
  void neverFindsWhatIsDeletedOrAnothers() throws Exception {
    AppId app = people();
    AppId other = FIXTURE.owned("stranger-" + app);
    assertThat(ENTITIES.get(app, CRM, "customer", id(6))).as("deleted").isNull();
    assertThat(ENTITIES.exists(app, CRM, "customer", id(6))).isFalse();
    assertThat(ENTITIES.exists(app, CRM, "customer", id(1))).isTrue();
    assertThat(ENTITIES.exists(other, CRM, "customer", id(1))).isFalse();
    assertThat(ENTITIES.exists(app, new PluginId("erp"), "customer", id(1))).isFalse();
    assertThat(ENTITIES.exists(app, CRM, "order", id(1))).isFalse();
    assertThat(found(other)).isEmpty();
    assertThat(ENTITIES.query(app, new PluginId("erp"), CUSTOMER, all()).entities()).isEmpty();
    assertThat(FIXTURE.commit(call(other).updates(id(1), 1, "{}").deletes(id(2), 1)))
        .allSatisfy(result -> assertThat(result).isInstanceOf(Effects.Result.Conflict.class));
    assertThat(found(app)).isEqualTo("1 2 3 4 5");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          nope    | EQ       | x    | where[1].field: entity 'customer' has no field 'nope'
          _secret | EQ       | x    | where[1].field: entity 'customer' has no field '_secret'
          extra   | EQ       | x    | where[1].op: 'extra' is JSON
          age     | PREFIX   | x    | where[1].op: prefix is for text
          since   | CONTAINS | x    | where[1].op: contains is for text
          age     | EQ       | x    | where[1].value: must be a number
          name    | IN       | x    | where[1].value: is a list
          name    | IS_NULL  | x    | where[1].value: is true or false
          since   | LT       | x    | where[1].value: must be a time
          since   | LT       | 2026-01-01T00:00:00 | where[1].value: must be a time
          since   | LT       | +99999-01-01T00:00:00Z | where[1].value: must be a time
          born    | LT       | 2026-02-30 | where[1].value: must be a date
          boss    | EQ       | 1-1-1-1-1 | where[1].value: must be a UUID
          vip     | EQ       | true | where[1].value: must be true or false
          version | EQ       | 1    | where[1].value: must be a whole number
          """)
  void refusesWhatDoesNotFitTheType(String name, Op op, String value, String message) {
    var fits = new Condition("name", Op.EQ, "x");
    assertThatThrownBy(() -> found(new AppId("any"), fits, new Condition(name, op, value)))
        .isInstanceOf(InvalidQueryException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void refusesNumbersAndTextsThatPostgresCannotHold() {
    var app = new AppId("any");
    for (Condition wrong :
        List.of(
            new Condition("score", Op.EQ, new BigDecimal("1e100000")),
            new Condition("version", Op.EQ, new BigDecimal("1e40")),
            new Condition("version", Op.EQ, new BigDecimal("1.5")),
            new Condition("name", Op.EQ, "a\0b"),
            new Condition("name", Op.EQ, "\ud800"))) {
      assertThatThrownBy(() -> found(app, wrong))
          .isInstanceOf(InvalidQueryException.class)
          .hasMessageStartingWith("where[0].value: must be ");
    }
    assertThatThrownBy(() -> found(app, new Condition("age", Op.IN, List.of(1, "2"))))
        .hasMessageStartingWith("where[0].value[1]: must be a number");
    assertThatThrownBy(
            () -> pages(app, new EntityQuery(List.of(), List.of(new Sort("extra", true)), 1, null)))
        .hasMessage("sort[0].field: 'extra' is JSON, which has no order");
    assertThatThrownBy(() -> new EntityQuery(List.of(), List.of(), 201, null))
        .hasMessage("limit: is 1 to 200, not 201");
  }

  /** Each text would do harm in one kind of quotes or other. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "'",
        "''",
        "' or '1'='1",
        "\"; drop table viesti.kv; --",
        "\\' or true --",
        "x' union select null --",
        "$$;delete from viesti.plugin_entity;$$",
        "{\"a\":1}",
        "?",
        "name' is not null or d.data ->> 'name",
        "%",
        "_",
        "*/ or true /*"
      })
  void noTextBecomesSql(String text) throws Exception {
    AppId app = people();
    for (Op op : List.of(Op.EQ, Op.PREFIX, Op.CONTAINS)) {
      assertThat(found(app, new Condition("name", op, text))).as("%s", op).isEmpty();
    }
    assertThat(found(app, new Condition("name", Op.IN, List.of(text)))).isEmpty();
    assertThatThrownBy(() -> found(app, new Condition(text, Op.EQ, "x")))
        .isInstanceOf(InvalidQueryException.class);
    assertThatThrownBy(() -> found(app, new Condition("age", Op.EQ, text)))
        .isInstanceOf(InvalidQueryException.class);
    var sort = List.of(new Sort(text, false));
    assertThatThrownBy(() -> pages(app, new EntityQuery(List.of(), sort, 5, null)))
        .isInstanceOf(InvalidQueryException.class);
    var raw = Base64.getUrlEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    for (String cursor : List.of(text, raw)) {
      assertThatThrownBy(() -> pages(app, new EntityQuery(List.of(), List.of(), 5, cursor)))
          .isInstanceOf(InvalidQueryException.class);
    }
    assertThat(ENTITIES.get(app, CRM, text, id(1))).isNull();
    assertThat(found(app)).isEqualTo("1 2 3 4 5");
  }

  /** A cursor is not signed, so what is in it is as strange as any text. */
  @ParameterizedTest
  @EnumSource(
      value = FieldType.class,
      names = {"INTEGER", "TIMESTAMP", "BOOLEAN"})
  void refusesAForgedCursor(FieldType type) throws Exception {
    AppId app = people();
    String field =
        CUSTOMER.fields().stream().filter(f -> f.type() == type).findFirst().orElseThrow().name();
    var sort = List.of(new Sort(field, false));
    for (String forged : List.of("' or true --", "", "1e999999999", "infinity-", "\0")) {
      String cursor = new EntityCursor(List.of(forged), id(1)).encode(sort);
      assertThatThrownBy(() -> pages(app, new EntityQuery(List.of(), sort, 5, cursor)))
          .isInstanceOf(InvalidQueryException.class)
          .hasMessageStartingWith("cursor: ");
    }
    String other = new EntityCursor(List.of("1"), id(1)).encode(List.of(new Sort("age", true)));
    assertThatThrownBy(() -> pages(app, new EntityQuery(List.of(), sort, 5, other)))
        .hasMessage("cursor: is of a query with another sort");
  }

  @Test
  void aFieldThatHasAnotherTypeNowCountsAsMissing() throws Exception {
    AppId app = FIXTURE.owned("retyped");
    FIXTURE.commit(
        call(app)
            .inserts(id(1), "{\"age\":\"ten\",\"vip\":\"yes\",\"since\":\"soon\"}")
            .inserts(id(2), "{\"age\":10,\"vip\":true,\"since\":\"2026-01-01T00:00:00Z\"}"));
    assertThat(found(app, new Condition("age", Op.GE, 0))).isEqualTo("2");
    assertThat(found(app, new Condition("vip", Op.EQ, true))).isEqualTo("2");
    assertThat(found(app, new Condition("since", Op.GT, "2000-01-01T00:00:00Z"))).isEqualTo("2");
  }

  /** Few values, so most rows tie, and many have none; others come while the pages are turned. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void pagesNeitherRepeatNorLeaveOutWhatIsThereAllTheTime(long seed) throws Exception {
    AppId app = FIXTURE.owned("paging-" + seed);
    var random = new Random(seed);
    Set<UUID> there = new HashSet<>();
    for (int n = 0; n < 120; n++) {
      there.add(insertAny(app, random));
    }
    var query =
        new EntityQuery(
            List.of(),
            List.of(
                new Sort("age", random.nextBoolean()),
                new Sort("name", random.nextBoolean()),
                new Sort("since", random.nextBoolean())),
            7,
            null);
    List<UUID> seen = new ArrayList<>();
    Page page = ENTITIES.query(app, CRM, CUSTOMER, query);
    while (true) {
      page.entities().forEach(entity -> seen.add(entity.id()));
      if (page.cursor() == null) {
        break;
      }
      insertAny(app, random);
      page = ENTITIES.query(app, CRM, CUSTOMER, query.after(page.cursor()));
    }
    assertThat(seen).as("seed %d", seed).doesNotHaveDuplicates().containsAll(there);
  }

  private static UUID insertAny(AppId app, Random random) throws Exception {
    List<String> fields = new ArrayList<>();
    if (random.nextInt(3) > 0) {
      fields.add("\"age\":" + random.nextInt(3));
    }
    if (random.nextInt(3) > 0) {
      fields.add("\"name\":\"" + (random.nextBoolean() ? "a" : "\u00e4".repeat(300)) + "\"");
    }
    if (random.nextInt(3) > 0) {
      fields.add("\"since\":\"2026-01-01T00:00:0" + random.nextInt(2) + ".5Z\"");
    }
    var id = new UUID(random.nextLong(), random.nextLong());
    FIXTURE.commit(call(app).inserts(id, "{" + String.join(",", fields) + "}"));
    return id;
  }

  private static final AtomicInteger APPS = new AtomicInteger();

  /** An app with five customers, and one that is deleted. */
  private static AppId people() throws Exception {
    AppId app = FIXTURE.owned("people-" + APPS.incrementAndGet());
    FIXTURE.commit(
        call(app)
            .inserts(
                id(1),
                """
                {"name":"Ann","age":2,"score":2,"vip":true,"since":"2026-01-01T00:00:00Z",\
                "token":"00000000-0000-0000-0000-00000000000a"}""")
            .inserts(
                id(2),
                """
                {"name":"Bob","age":10,"score":12.5,"vip":false,\
                "since":"2026-01-01T01:00:00.000001+02:00",\
                "boss":"00000000-0000-7000-0000-000000000001"}""")
            .inserts(id(3), "{\"name\":\"Cid\",\"age\":9,\"score\":1.5,\"born\":\"2001-02-03\"}")
            .inserts(id(4), "{\"name\":\"D\"}")
            .inserts(id(5), "{\"name\":null}")
            .inserts(id(6), "{\"name\":\"Gone\"}"));
    FIXTURE.commit(
        call(app).updates(id(4), 1, "{\"name\":\"Dora-o\",\"extra\":[1]}").deletes(id(6), 1));
    return app;
  }

  private static UUID id(int n) {
    return new UUID(0x7000L, n);
  }

  private static EntityQuery all(Condition... where) {
    return new EntityQuery(List.of(where), List.of(), 200, null);
  }

  private static String found(AppId app, Condition... where) throws Exception {
    return numbers(ENTITIES.query(app, CRM, CUSTOMER, all(where)).entities());
  }

  private static List<Entity> pages(AppId app, EntityQuery query) throws Exception {
    List<Entity> entities = new ArrayList<>();
    Page page = ENTITIES.query(app, CRM, CUSTOMER, query);
    entities.addAll(page.entities());
    while (page.cursor() != null) {
      page = ENTITIES.query(app, CRM, CUSTOMER, query.after(page.cursor()));
      entities.addAll(page.entities());
    }
    return entities;
  }

  private static String numbers(List<Entity> entities) {
    return String.join(
        " ",
        entities.stream()
            .map(entity -> Long.toString(entity.id().getLeastSignificantBits()))
            .toList());
  }
}
