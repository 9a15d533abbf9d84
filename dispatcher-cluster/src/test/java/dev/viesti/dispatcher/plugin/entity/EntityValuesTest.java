package dev.viesti.dispatcher.plugin.entity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.EntityType.Field;
import dev.viesti.protocol.plugin.EntityType.FieldType;
import dev.viesti.protocol.plugin.EntityType.Reference;
import dev.viesti.protocol.plugin.PluginId;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class EntityValuesTest {
  private static final Reference CUSTOMER = new Reference(new PluginId("crm"), "customer");
  private static final EntityType ORDER =
      new EntityType(
          "order",
          List.of(
              new Field("title", FieldType.STRING, true, null),
              field("count", FieldType.INTEGER),
              field("price", FieldType.NUMBER),
              field("paid", FieldType.BOOLEAN),
              field("at", FieldType.TIMESTAMP),
              field("day", FieldType.DATE),
              field("token", FieldType.UUID),
              field("extra", FieldType.JSON),
              new Field("buyer", FieldType.REFERENCE, false, CUSTOMER)));

  private static Field field(String name, FieldType type) {
    return new Field(name, type, false, null);
  }

  @Test
  void bringsEveryTypeIntoOneForm() {
    String json =
        """
        {"buyer": "018F4A5E-0000-7000-8000-00000000000A", "extra": {"b": [1.50, null], "a": "\\u00e4"},
         "title": "T", "count": 3.0, "price": 0.10, "paid": true, "at": "2026-01-31T12:00:00.1234567+02:00",
         "day": "2026-01-31", "token": "018F4A5E-0000-7000-8000-000000000001"}
        """;
    EntityValues values = EntityValues.read(ORDER, json);
    assertThat(values.json())
        .isEqualTo(
            "{\"title\":\"T\",\"count\":3,\"price\":0.10,\"paid\":true,"
                + "\"at\":\"2026-01-31T10:00:00.123456Z\",\"day\":\"2026-01-31\","
                + "\"token\":\"018f4a5e-0000-7000-8000-000000000001\","
                + "\"extra\":{\"b\":[1.50,null],\"a\":\"\u00e4\"},"
                + "\"buyer\":\"018f4a5e-0000-7000-8000-00000000000a\"}");
    assertThat(values.links())
        .containsExactly(
            new EntityValues.Link(
                "buyer", CUSTOMER, UUID.fromString("018f4a5e-0000-7000-8000-00000000000a")));
    assertThat(EntityValues.read(ORDER, values.json()).json()).isEqualTo(values.json());
  }

  @Test
  void takesNullForAFieldThatIsMissing() {
    assertThat(EntityValues.read(ORDER, "{\"title\":\"\",\"count\":null,\"buyer\":null}").json())
        .isEqualTo("{\"title\":\"\"}");
  }

  @Test
  void takesTheLargestAndSmallestNumbers() {
    String longs = "{\"title\":\"\",\"count\":-9223372036854775808,\"price\":1E+1000}";
    assertThat(EntityValues.read(ORDER, longs).json()).isEqualTo(longs);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {}                          | title: is required by entity 'order'
          {"title":null}              | title: is required by entity 'order'
          {"title":1}                 | title: must be text
          {"title":"a\\u0000"}        | title: must not contain U+0000 or half of a surrogate pair
          {"title":"\\ud800"}         | title: must not contain U+0000 or half of a surrogate pair
          {"title":"","zip":1}        | zip: is no field of entity 'order'
          {"title":"","count":"1"}    | count: must be a whole number
          {"title":"","count":1.5}    | count: must be a whole number from
          {"title":"","count":9223372036854775808} | count: must be a whole number from
          {"title":"","count":1e999999999} | count: must be a number of at most 1,000 digits
          {"title":"","price":"1"}    | price: must be a number
          {"title":"","price":1e1001} | price: must be a number of at most 1,000 digits
          {"title":"","price":1e-1001} | price: must be a number of at most 1,000 digits
          {"title":"","paid":"true"}  | paid: must be true or false
          {"title":"","at":1}         | at: must be a time with an offset
          {"title":"","at":"2026-01-31T12:00:00"} | at: must be a time with an offset
          {"title":"","at":"+10000-01-31T12:00:00Z"} | at: must be a time with an offset
          {"title":"","day":"2026-02-30"} | day: must be a date
          {"title":"","day":"+10000-01-01"} | day: must be a date
          {"title":"","token":"1-1-1-1-1"} | token: must be a UUID
          {"title":"","buyer":7}      | buyer: must be a UUID
          {"title":"","extra":{"a":[1,"\\u0000"]}} | extra.a[1]: must not contain U+0000
          {"title":"","extra":{"\\u0000":1}} | extra: must not contain U+0000
          {"title":"","extra":[1e2000]} | extra[0]: must be a number of at most 1,000 digits
          {"title":"","title":""}     | $: is no JSON that can be read
          {"title":""} {}             | $: is no JSON that can be read
          {"title":NaN}               | $: is no JSON that can be read
          []                          | $: must be a JSON object
          """)
  void namesTheFieldThatDoesNotFit(String json, String message) {
    assertThatThrownBy(() -> EntityValues.read(ORDER, json))
        .isInstanceOf(InvalidEntityException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void refusesWhatIsTooLargeOrTooDeep() {
    String text = "\u00e4".repeat(EntityValues.TEXT_BYTES_MAX / 2);
    assertThat(EntityValues.read(ORDER, "{\"title\":\"" + text + "\"}").json()).contains(text);
    assertThatThrownBy(() -> EntityValues.read(ORDER, "{\"title\":\"" + text + "x\"}"))
        .hasMessage("title: has at most 65,536 bytes");
    String large = "{\"title\":\"\",\"extra\":\"" + "\u20ac".repeat(100_000) + "\"}";
    assertThatThrownBy(() -> EntityValues.read(ORDER, large))
        .hasMessage("$: all fields together have at most 262,144 bytes");
    assertThatThrownBy(() -> EntityValues.read(ORDER, "x".repeat(300_000)))
        .hasMessage("$: all fields together have at most 262,144 bytes");
    String deep = "{\"title\":\"\",\"extra\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}";
    assertThatThrownBy(() -> EntityValues.read(ORDER, deep))
        .hasMessageStartingWith("$: is no JSON that can be read");
    String digits = "{\"title\":\"\",\"price\":" + "1".repeat(100_000) + "}";
    assertThatThrownBy(() -> EntityValues.read(ORDER, digits))
        .hasMessageStartingWith("$: is no JSON that can be read");
  }
}
