package dev.viesti.dispatcher.plugin.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigSchemaTest {
  @Test
  void saysNothingAboutAConfigThatFits() {
    assertThat(
            check(
                "{'type':'object','properties':{'port':{'$ref':'#/$defs/port'}},"
                    + "'$defs':{'port':{'type':'integer','minimum':1}}}",
                "{'port':80}"))
        .isEmpty();
  }

  @Test
  void takesAnyJsonWhereThereIsNoSchema() {
    assertThat(ConfigSchema.of(null).faults(bytes("[1,2]"))).isEmpty();
    assertThat(ConfigSchema.of(null).faults(bytes("[1,2")))
        .singleElement()
        .satisfies(fault -> assertThat(fault.message()).startsWith("is not valid JSON"));
  }

  /** Schema, config, the pointer and a part of the sentence. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {'required':['a']}                          | {}            | ``     | 'a'
          {'properties':{'a/b':{'type':'string'}}}    | {'a/b':1}     | /a~1b  | string
          {'items':{'minimum':3}}                     | [5,1]         | /1     | 3
          {'additionalProperties':false}              | {'x':1}       | ``     | 'x'
          {'properties':{'a':{'enum':['b','c']}}}     | {'a':'d'}     | /a     | enumeration
          {'properties':{'a':{'pattern':'^b+$'}}}     | {'a':'bbc'}   | /a     | ^b+$
          {'patternProperties':{'^n_':{'type':'integer'}}} | {'n_a':'x','m':'y'} | /n_a | integer
          {'$ref':'#/$defs/a~1b','$defs':{'a/b':{'type':'null'}}} | 1 | `` | null
          {'$ref':'#here','$defs':{'x':{'$anchor':'here','type':'null'}}} | 1 | `` | null
          {'properties':{'$ref':{'type':'null'}}}     | {'$ref':1}    | /$ref  | null
          false                                       | 1             | ``     | false
          """)
  void namesTheMemberThatDoesNotFit(String schema, String config, String path, String message) {
    assertThat(check(schema, config))
        .singleElement()
        .satisfies(
            fault -> {
              assertThat(fault.path()).isEqualTo(path);
              assertThat(fault.message()).contains(message);
            });
  }

  /** Schema, the path within it and a part of the sentence. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {'requierd':[]}                        | /requierd  | did you mean 'required'?
          {'definitions':{}}                     | /definitions | no keyword 'definitions'
          {'type':'int'}                         | /type      | must be one of null, boolean
          {'type':['string','string']}           | /type      | must be one of null, boolean
          {'type':[]}                            | /type      | must be one of null, boolean
          {'allOf':[]}                           | /allOf     | must be a list of schemas
          {'allOf':[1]}                          | /allOf/0   | must be a schema
          {'not':'x'}                            | /not       | must be a schema
          {'properties':[]}                      | /properties | an object of schemas
          {'properties':{'a':{'items':[{}]}}}    | /properties/a/items | must be a schema
          {'required':['a','a']}                 | /required  | a list of texts, each once
          {'required':'a'}                       | /required  | a list of texts, each once
          {'dependentRequired':{'a':[1]}}        | /dependentRequired/a | a list of texts
          {'minLength':-1}                       | /minLength | a whole number, 0 to
          {'minLength':1.5}                      | /minLength | a whole number, 0 to
          {'multipleOf':0}                       | /multipleOf | above 0
          {'maximum':'9'}                        | /maximum   | must be a number
          {'uniqueItems':1}                      | /uniqueItems | true or false
          {'enum':'a'}                           | /enum      | must be a list
          {'title':1}                            | /title     | must be a text
          {'$schema':'http://json-schema.org/draft-07/schema#'} | /$schema | must be https://json-schema.org/draft/2020-12/schema
          {'$anchor':'1'}                        | /$anchor   | beginning with a letter
          {'$anchor':'a','not':{'$anchor':'a'}}  | /not/$anchor | 'a' already
          {'not':{'$id':'https://x.example/'}}   | /not/$id   | only the outermost
          {'pattern':'('}                        | /pattern   | syntax of RE2
          {'pattern':'(?=a)'}                    | /pattern   | no lookaround
          {'pattern':'(a)\\\\1'}                 | /pattern   | no backreferences
          {'pattern':'(a{1000}){1000}'}          | /pattern   | is too large a pattern
          {'pattern':'((a{1000}){1000}){1000}'}  | /pattern   | is too large a pattern
          {'patternProperties':{'[':{}}}         | /patternProperties/[ | syntax of RE2
          {'$ref':'https://example.com/s'}       | /$ref      | nothing is fetched
          {'$ref':'file:///etc/passwd'}          | /$ref      | nothing is fetched
          {'$ref':'other.json'}                  | /$ref      | nothing is fetched
          {'$id':'https://a.example/','$ref':'https://a.example/'} | /$ref | nothing is fetched
          {'$dynamicRef':'https://example.com/s'} | /$dynamicRef | nothing is fetched
          {'$ref':'#/$defs/x'}                   | /$ref      | no schema at '#/$defs/x'
          {'$ref':'#/enum/0','enum':[{}]}        | /$ref      | no schema at '#/enum/0'
          {'$ref':'# %'}                         | /$ref      | no schema at
          """)
  void refusesWhatIsNoSchema(String schema, String path, String message) {
    assertThat(Manifests.faults(Manifests.small(",'config':" + schema), ManifestReader.Format.JSON))
        .singleElement()
        .satisfies(
            fault -> {
              assertThat(fault.path()).isEqualTo("/config" + path);
              assertThat(fault.message()).contains(message);
            });
    assertThatThrownBy(() -> ConfigSchema.of(schema.replace('\'', '"')))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  @Test
  void allowsKeywordsOfOnesOwn() {
    assertThat(check("{'x-order':3,'$id':'https://a.example/s','$comment':'c'}", "{}")).isEmpty();
  }

  @Test
  void refusesSchemasAndConfigsThatAreTooLarge() {
    String title = "{'title':'" + "x".repeat(ConfigSchema.SCHEMA_BYTES_MAX) + "'}";

    assertThatThrownBy(() -> ConfigSchema.of(title.replace('\'', '"')))
        .hasMessageContaining("65,536");
    assertThat(ConfigSchema.of("{}").faults(new byte[ConfigSchema.CONFIG_BYTES_MAX + 1]))
        .containsExactly(new Fault("", "a configuration has at most 65,536 bytes"));
  }

  @Test
  void refusesPatternsThatAreTooLargeTogether() {
    String patterns =
        IntStream.range(0, 20)
            .mapToObj(i -> "{'pattern':'[a-z]{900}'}")
            .collect(Collectors.joining(",", "{'anyOf':[", "]}"));

    assertThatThrownBy(() -> ConfigSchema.of(patterns.replace('\'', '"')))
        .hasMessageContaining("too large together");
  }

  /** With a backtracking engine this one would outlive us. */
  @Test
  void matchesAnEvilPatternInLinearTime() {
    assertThat(check("{'pattern':'^(a+)+$'}", "'" + "a".repeat(60_000) + "!'")).hasSize(1);
  }

  @Test
  void givesUpOnASchemaThatRefersToItself() {
    assertThat(check("{'$ref':'#'}", "1"))
        .singleElement()
        .satisfies(fault -> assertThat(fault.message()).contains("in a circle"));
    assertThat(check("{'$dynamicAnchor':'a','allOf':[{'$dynamicRef':'#a'}]}", "1"))
        .singleElement()
        .satisfies(fault -> assertThat(fault.message()).contains("in a circle"));
  }

  @Test
  void followsARecursiveSchemaAsDeepAsAConfigGoes() {
    String tree = "{'type':'object','properties':{'a':{'$ref':'#'}}}";
    String deep = "{'a':".repeat(62) + "{}" + "}".repeat(62);

    assertThat(check(tree, deep)).isEmpty();
    assertThat(check(tree, deep.replace("{}", "7")))
        .singleElement()
        .satisfies(fault -> assertThat(fault.path()).isEqualTo("/a".repeat(62)));
  }

  /** Each level doubles the work: forty levels are a trillion steps. */
  @Test
  void givesUpOnASchemaThatDoublesItsWork() {
    String levels =
        IntStream.range(0, 40)
            .mapToObj(
                i ->
                    "'d%d':{'allOf':[{'$ref':'#/$defs/d%d'},{'$ref':'#/$defs/d%d'}]}"
                        .formatted(i, i + 1, i + 1))
            .collect(Collectors.joining(","));

    assertThat(check("{'$ref':'#/$defs/d0','$defs':{" + levels + ",'d40':true}}", "1"))
        .containsExactly(
            new Fault(
                "", "takes too much work to compare with the schema: make one of them simpler"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'uniqueItems':true}",
        "{'items':{'anyOf':[{'const':1},{'const':2},{'type':'string'}]}}",
        "{'unevaluatedItems':false}",
        "{'contains':{'const':'x'},'unevaluatedItems':false}",
        "{'allOf':[{'items':{'type':'string'}},{'items':{'type':'null'}}],'unevaluatedItems':false}",
      })
  void isDoneSoonWithALargeConfig(String schema) {
    String numbers =
        IntStream.range(0, 12_000)
            .mapToObj(String::valueOf)
            .collect(Collectors.joining(",", "[", "]"));

    assertThat(numbers).hasSizeLessThan(ConfigSchema.CONFIG_BYTES_MAX);
    assertTimeout(Duration.ofSeconds(10), () -> check(schema, numbers));
  }

  private static List<Fault> check(String schema, String config) {
    return ConfigSchema.of(schema.replace('\'', '"')).faults(bytes(config));
  }

  private static byte[] bytes(String json) {
    return json.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
  }
}
