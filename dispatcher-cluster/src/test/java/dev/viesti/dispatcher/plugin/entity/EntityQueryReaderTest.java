package dev.viesti.dispatcher.plugin.entity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.persistence.effects.EntityQuery;
import dev.viesti.persistence.effects.EntityQuery.Condition;
import dev.viesti.persistence.effects.EntityQuery.Op;
import dev.viesti.persistence.effects.EntityQuery.Sort;
import dev.viesti.persistence.effects.InvalidQueryException;
import java.math.BigDecimal;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class EntityQueryReaderTest {
  @Test
  void readsEverythingThatAQueryCanSay() {
    String json =
        """
        {"where": [
           {"field": "name", "value": "Ann"},
           {"field": "age", "op": "ge", "value": 18},
           {"field": "score", "op": "lt", "value": 1.50},
           {"field": "vip", "op": "ne", "value": true},
           {"field": "name", "op": "in", "value": ["a", 1]},
           {"field": "boss", "op": "is_null"},
           {"field": "boss", "op": "is_null", "value": false}],
         "sort": [{"field": "name"}, {"field": "age", "descending": true}],
         "limit": 7, "cursor": "abc"}
        """;
    assertThat(EntityQueryReader.read(json))
        .isEqualTo(
            new EntityQuery(
                List.of(
                    new Condition("name", Op.EQ, "Ann"),
                    new Condition("age", Op.GE, 18),
                    new Condition("score", Op.LT, new BigDecimal("1.50")),
                    new Condition("vip", Op.NE, true),
                    new Condition("name", Op.IN, List.of("a", 1)),
                    new Condition("boss", Op.IS_NULL, true),
                    new Condition("boss", Op.IS_NULL, false)),
                List.of(new Sort("name", false), new Sort("age", true)),
                7,
                "abc"));
  }

  @Test
  void everythingMayBeMissing() {
    var all = new EntityQuery(List.of(), List.of(), EntityQueryReader.LIMIT_DEFAULT, null);
    assertThat(EntityQueryReader.read("{}")).isEqualTo(all);
    assertThat(EntityQueryReader.read("{\"where\":null,\"sort\":[],\"cursor\":null}"))
        .isEqualTo(all);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          []                                | $: must be a JSON object
          {                                 | $: is no JSON that can be read
          {"wher":[]}                       | wher: is unknown; there are cursor, limit, sort, where
          {"where":{}}                      | where: must be a list
          {"where":[1]}                     | where[0]: must be a JSON object
          {"where":[{"value":1}]}           | where[0].field: must be text
          {"where":[{"field":"a"}]}         | where[0].value: must be text, a number
          {"where":[{"field":"a","value":null}]} | where[0].value: must be text, a number
          {"where":[{"field":"a","value":{}}]} | where[0].value: must be text, a number
          {"where":[{"field":"a","value":[[1]]}]} | where[0].value[0]: must not be a list
          {"where":[{"field":"a","op":"like","value":1}]} | where[0].op: is one of eq, ne, lt
          {"where":[{"field":"a","op":"EQ","value":1}]} | where[0].op: is one of eq, ne, lt
          {"where":[{"field":"a","vale":1}]} | where[0].vale: is unknown
          {"sort":["a"]}                    | sort[0]: must be a JSON object
          {"sort":[{}]}                     | sort[0].field: must be text
          {"sort":[{"field":"a","descending":"yes"}]} | sort[0].descending: must be true or false
          {"limit":0}                       | limit: is 1 to 200, not 0
          {"limit":1.5}                     | limit: is 1 to 200
          {"limit":99999999999}             | limit: is 1 to 200
          {"cursor":1}                      | cursor: must be text
          """)
  void namesTheMemberThatIsWrong(String json, String message) {
    assertThatThrownBy(() -> EntityQueryReader.read(json))
        .isInstanceOf(InvalidQueryException.class)
        .hasMessageStartingWith(message);
  }
}
