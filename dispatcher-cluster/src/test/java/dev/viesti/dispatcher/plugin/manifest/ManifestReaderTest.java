package dev.viesti.dispatcher.plugin.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.dispatcher.json.Json;
import dev.viesti.dispatcher.plugin.manifest.ManifestReader.Format;
import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.EntityType.Field;
import dev.viesti.protocol.plugin.EntityType.FieldType;
import dev.viesti.protocol.plugin.EntityType.Reference;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.NumberingRule;
import dev.viesti.protocol.plugin.NumberingRule.Reset;
import dev.viesti.protocol.plugin.Permission;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.plugin.PluginLimits;
import dev.viesti.protocol.trigger.EventPattern;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ManifestReaderTest {
  @Test
  void readsEveryMember() throws Exception {
    Manifest manifest = Manifests.read(Manifests.FULL_JSON);

    assertThat(manifest.id()).isEqualTo(new PluginId("order-numbering"));
    assertThat(manifest.name()).isEqualTo("Order numbering");
    assertThat(manifest.version()).isEqualTo("1.2.0");
    assertThat(manifest.permissions())
        .hasSize(9)
        .startsWith(
            new Permission(Permission.Action.KV_WRITE, "orders"),
            new Permission(Permission.Action.KV_READ, "*"))
        .endsWith(new Permission(Permission.Action.CONTEXT_READ, "*"));
    assertThat(manifest.subscribe())
        .containsExactly(new EventPattern("*", "order.*", "eu/*"), EventPattern.ANY);
    assertThat(manifest.entities())
        .containsExactly(
            new EntityType(
                "order",
                List.of(
                    new Field("number", FieldType.STRING, true, null),
                    new Field(
                        "customer",
                        FieldType.REFERENCE,
                        false,
                        new Reference(new PluginId("crm"), "customer")),
                    new Field("total", FieldType.NUMBER, false, null),
                    new Field("parent", FieldType.REFERENCE, false, new Reference(null, "order")),
                    new Field(
                        "line", FieldType.REFERENCE, false, new Reference(null, "order_line")))),
            new EntityType(
                "order_line", List.of(new Field("count", FieldType.INTEGER, false, null))));
    assertThat(manifest.numbering())
        .containsExactly(
            new NumberingRule("order", "ORD-", "yyyy-", 6, Reset.YEARLY),
            new NumberingRule("ticket", "", null, 1, Reset.NEVER));
    assertThat(manifest.configSchema())
        .isEqualTo(
            """
            {"type":"object","properties":{"from":{"type":"string","maxLength":64},\
            "rate":{"maximum":1.50}},"required":["from"],"additionalProperties":false}""");
    assertThat(manifest.limits())
        .isEqualTo(new PluginLimits(20_000_000, Duration.ofSeconds(45), 512));
  }

  @Test
  void readsTheSameFromToml() throws Exception {
    Manifest toml =
        ManifestReader.read(Manifests.FULL_TOML.getBytes(StandardCharsets.UTF_8), Format.TOML);

    assertThat(toml).isEqualTo(Manifests.read(Manifests.FULL_JSON));
  }

  @Test
  void needsNothingButIdNameAndVersion() throws Exception {
    assertThat(Manifests.read(Manifests.small(",'config':null,'limits':null,'entities':null")))
        .isEqualTo(
            new Manifest(
                new PluginId("a"),
                "A",
                "1",
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                null,
                PluginLimits.DEFAULT));
  }

  @Test
  void readsBackWhatTheApiShows() throws Exception {
    Manifest manifest = Manifests.read(Manifests.FULL_JSON);

    byte[] shown = Json.MAPPER.writeValueAsBytes(manifest);

    assertThat(ManifestReader.read(shown, Format.JSON)).isEqualTo(manifest);
  }

  @Test
  void takesAReferenceThroughItsOwnIdForOneOfItsOwn() throws Exception {
    String field = "{'name':'f','type':'reference','references':'a/e'}";

    Manifest manifest =
        Manifests.read(Manifests.small(",'entities':[{'name':'e','fields':[" + field + "]}]"));

    assertThat(manifest.entities().getFirst().fields().getFirst().references())
        .isEqualTo(new Reference(null, "e"));
  }

  @Test
  void namesEveryFaultAtOnce() {
    String json =
        """
        {"id": "Orders", "name": " ", "version": "1 2", "permisions": [],
         "permissions": ["kv:orders", 7, "entity:write:other"],
         "subscribe": [{"type": "*.x", "source": ""}],
         "entities": [{"name": "e", "fields": [{"name": "id", "type": "text"}, {"type": "uuid"}]}],
         "numbering": [{"name": "n", "digits": 0, "reset": "weekly", "dateFormat": "HH"}],
         "config": {"type": "objekt"},
         "limits": {"fuel": 1, "timeout": "1h", "memoryPages": 4294967297}}
        """;

    assertThat(Manifests.faults(json, Format.JSON).stream().map(Fault::path))
        .containsExactlyInAnyOrder(
            "/permisions",
            "/id",
            "/name",
            "/version",
            "/permissions/0",
            "/permissions/1",
            "/permissions/2",
            "/subscribe/0/source",
            "/subscribe/0/type",
            "/entities/0/fields/0/name",
            "/entities/0/fields/0/type",
            "/entities/0/fields/1/name",
            "/numbering/0/dateFormat",
            "/numbering/0/digits",
            "/numbering/0/reset",
            "/config/type",
            "/limits/fuel",
            "/limits/timeout",
            "/limits/memoryPages");
  }

  /** The member that is wrong, what is in it, and a part of what is said about it. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          /limit            | ,'limit':{}                     | did you mean 'limits'?
          /zzz              | ,'zzz':1                        | there are id, name, version
          /a~1b~0c          | ,'a/b~c':1                      | there is no member 'a/b~c' here
          /permissions      | ,'permissions':'kv:read:a'      | must be a list, not a text
          /permissions/0    | ,'permissions':[null]           | must be a text, not null
          /permissions/0    | ,'permissions':['kv:read']      | there are kv:read:<pattern>, kv:write
          /permissions/0    | ,'permissions':['kv:read:']     | has 1 to 256 characters
          /permissions/0    | ,'permissions':['kv:read:a*b']  | has a * before its end
          /permissions/0    | ,'permissions':['config:read:x'] | is no permission
          /permissions/0    | ,'permissions':['entity:read:e'] | this manifest has no entity
          /permissions/0    | ,'permissions':['entity:write:crm/x'] | can be read only
          /permissions/0    | ,'permissions':['entity:read:a/e'] | without the plugin: e
          /permissions/0    | ,'permissions':['numbering:next:n'] | has no numbering rule
          /permissions/0    | ,'permissions':['numbering:next:ordr'],'numbering':[{'name':'order'}] | did you mean 'order'?; there are order
          /subscribe/0      | ,'subscribe':['order.*']        | must be an object, not a text
          /subscribe/0/kind | ,'subscribe':[{'kind':'x'}]     | there are type, source, subject
          /subscribe/0/type | ,'subscribe':[{'type':7}]       | must be a text, not a whole number
          /subscribe/0/subject | ,'subscribe':[{'subject':'*a'}] | has a * before its end
          /entities         | ,'entities':{}                  | must be a list, not an object
          /entities/0/name  | ,'entities':[{'fields':[{'name':'f','type':'uuid'}]}] | name is missing
          /entities/0/name  | ,'entities':[{'name':'E','fields':[{'name':'f','type':'uuid'}]}] | a-z, 0-9 and _
          /entities/0/fields | ,'entities':[{'name':'e'}]     | has 1 to 100 fields
          /entities/0/fields | ,'entities':[{'name':'e','fields':true}] | must be a list, not true or false
          /entities/1/name  | ,'entities':[{'name':'e','fields':[{'name':'f','type':'uuid'}]},{'name':'e','fields':[{'name':'f','type':'uuid'}]}] | 'e' already, at /entities/0
          /entities/0/fields/1/name | ,'entities':[{'name':'e','fields':[{'name':'f','type':'uuid'},{'name':'f','type':'uuid'}]}] | a field 'f' already
          /entities/0/fields/0/name | ,'entities':[{'name':'e','fields':[{'name':'version','type':'uuid'}]}] | has 'version' already
          /entities/0/fields/0/type | ,'entities':[{'name':'e','fields':[{'name':'f'}]}] | type is missing: it is one of string, integer
          /entities/0/fields/0/type | ,'entities':[{'name':'e','fields':[{'name':'f','type':'strng'}]}] | must be one of string, integer, number, boolean, timestamp, date, uuid, json, reference, not 'strng'; did you mean 'string'?
          /entities/0/fields/0/required | ,'entities':[{'name':'e','fields':[{'name':'f','type':'uuid','required':'yes'}]}] | must be true or false, not a text
          /entities/0/fields/0/references | ,'entities':[{'name':'e','fields':[{'name':'f','type':'reference'}]}] | references is missing
          /entities/0/fields/0/references | ,'entities':[{'name':'e','fields':[{'name':'f','type':'uuid','references':'e'}]}] | only a field of type reference
          /entities/0/fields/0/references | ,'entities':[{'name':'e','fields':[{'name':'f','type':'reference','references':'crm/'}]}] | the name of an entity
          /entities/0/fields/0/references | ,'entities':[{'name':'e','fields':[{'name':'f','type':'reference','references':'C/e'}]}] | a plugin id
          /entities/0/fields/0/references | ,'entities':[{'name':'e','fields':[{'name':'f','type':'reference','references':'ee'}]}] | did you mean 'e'?
          /entities/0/fields/0/references | ,'entities':[{'name':'e','fields':[{'name':'f','type':'reference','references':'a/x'}]}] | there is no entity 'x'
          /numbering/0/name | ,'numbering':[{'name':'9'}]     | beginning with a letter
          /numbering/1/name | ,'numbering':[{'name':'n'},{'name':'n'}] | at /numbering/0
          /numbering/0/prefix | ,'numbering':[{'name':'n','prefix':'123456789012345678901234567890123'}] | at most 32
          /numbering/0/prefix | ,'numbering':[{'name':'n','prefix':'a\\u0007'}] | no control characters
          /numbering/0/dateFormat | ,'numbering':[{'name':'n','dateFormat':'bbb'}] | no pattern for a date
          /numbering/0/dateFormat | ,'numbering':[{'name':'n','dateFormat':''}] | 1 to 32 characters
          /numbering/0/digits | ,'numbering':[{'name':'n','digits':19}] | digits is 1 to 18, not 19
          /numbering/0/digits | ,'numbering':[{'name':'n','digits':1.5}] | a whole number, not a number with a fraction
          /numbering/0/digits | ,'numbering':[{'name':'n','digits':99999999999999999999}] | at most 18 digits
          /numbering/0/reset | ,'numbering':[{'name':'n','reset':'Yearly'}] | one of never, daily, monthly, yearly, not 'Yearly'; did you mean 'yearly'?
          /config           | ,'config':true                  | must be a JSON Schema
          /config/properties/x/type | ,'config':{'properties':{'x':{'type':'strin'}}} | did you mean 'string'?
          /limits           | ,'limits':[]                    | must be an object, not a list
          /limits/fule      | ,'limits':{'fule':1}            | did you mean 'fuel'?
          /limits/fuel      | ,'limits':{'fuel':9999}         | fuel is 10,000 to 1,000,000,000
          /limits/timeout   | ,'limits':{'timeout':'30'}      | such as "30s"
          /limits/timeout   | ,'limits':{'timeout':30}        | must be a text, not a whole number
          /limits/timeout   | ,'limits':{'timeout':'9ms'}     | timeout is 10ms to 5m
          /limits/memoryPages | ,'limits':{'memoryPages':0}   | memoryPages is 1 to 1024
          """)
  void namesTheMemberAndWhatIsExpected(String path, String members, String message) {
    assertThat(Manifests.faults(Manifests.small(members), Format.JSON))
        .singleElement()
        .satisfies(
            fault -> {
              assertThat(fault.path()).isEqualTo(path);
              assertThat(fault.message()).contains(message);
            });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      nullValues = "-",
      textBlock =
          """
          /id      | {'name':'A','version':'1'}              | id is missing
          /name    | {'id':'a','version':'1'}                | name is missing
          /version | {'id':'a','name':'A','version':null}    | version is missing
          /id      | {'id':'a/b','name':'A','version':'1'}   | a-z, 0-9 and -
          /name    | {'id':'a','name':'A\\n','version':'1'}  | no control characters
          /name    | {'id':'a','name':'\\ud800','version':'1'} | half a character
          /name    | {'id':'a','name':'\\u0000','version':'1'} | zero character
          /version | {'id':'a','name':'A','version':1}       | must be a text, not a whole number
          ``       | []                                      | must be an object, not a list
          ``       | ``                                      | is empty
          ``       | {                                       | is not valid JSON (line 1
          ``       | {} {}                                   | is not valid JSON
          /id      | {'id':'a','id':'b'}                     | Duplicate field
          /config/a | {'id':'a','name':'A','version':'1','config':{'a':1e999}} | more than 400 digits
          """)
  void refusesTheWholeText(String path, String json, String message) {
    assertThat(Manifests.faults(json.replace('\'', '"'), Format.JSON))
        .singleElement()
        .satisfies(
            fault -> {
              assertThat(fault.path()).isEqualTo(path);
              assertThat(fault.message()).contains(message);
            });
  }

  @Test
  void refusesWhatTomlDoesNotHaveOrJsonCannotSay() {
    assertThat(Manifests.faults("id = \"a\"\nid = \"b\"", Format.TOML))
        .singleElement()
        .satisfies(fault -> assertThat(fault.message()).startsWith("is not valid TOML (line 2"));
    String head = "id = \"a\"\nname = \"A\"\nversion = \"1\"\n";
    assertThat(Manifests.faults(head + "config.default = inf", Format.TOML))
        .containsExactly(
            new Fault("/config/default", "must be a number that JSON has, not Infinity"));
    assertThat(Manifests.faults(head + "config.default = 1979-05-27", Format.TOML)).isEmpty();
  }

  @Test
  void refusesOtherEncodings() {
    byte[] latin = "{\"id\":\"\u00e9\"}".getBytes(StandardCharsets.ISO_8859_1);
    byte[] marked = "\uFEFF{}".getBytes(StandardCharsets.UTF_8);

    assertThat(faults(latin)).containsExactly(new Fault("", "must be UTF-8"));
    assertThat(faults(marked))
        .containsExactly(new Fault("", "must be UTF-8 without a byte order mark"));
  }

  @Test
  void refusesTextsThatAreTooLargeOrTooDeep() {
    assertThat(faults(new byte[ManifestReader.BYTES_MAX + 1]))
        .containsExactly(new Fault("", "has 262,145 bytes; a manifest has at most 262,144"));
    String deep = "[".repeat(100) + "]".repeat(100);
    assertThat(Manifests.faults(Manifests.small(",'config':" + deep), Format.JSON))
        .singleElement()
        .satisfies(fault -> assertThat(fault.message()).contains("nesting depth"));
    assertThat(Manifests.faults("a = " + deep, Format.TOML)).hasSize(1);
    assertThat(Manifests.faults("a" + ".a".repeat(10_000) + " = 1", Format.TOML)).hasSize(1);
  }

  @Test
  void refusesListsThatAreTooLong() {
    String many =
        IntStream.range(0, 201).mapToObj(i -> "'log:write'").collect(Collectors.joining(","));

    assertThat(Manifests.faults(Manifests.small(",'permissions':[" + many + "]"), Format.JSON))
        .containsExactly(new Fault("/permissions", "has at most 200 entries, not 201"));
  }

  @Test
  void keepsTheFirstHundredFaults() {
    String unknown =
        IntStream.range(0, 5_000).mapToObj(i -> ",'x" + i + "':0").collect(Collectors.joining());

    assertThat(Manifests.faults(Manifests.small(unknown), Format.JSON))
        .hasSize(100)
        .endsWith(new Fault("", "there are more faults: these are the first"));
  }

  @Test
  void quotesNothingThatCouldSpoilALog() {
    String json = Manifests.small(",'\\u001b[2J\\u202e%s':0".formatted("x".repeat(5_000)));

    assertThat(Manifests.faults(json, Format.JSON))
        .singleElement()
        .satisfies(
            fault -> {
              assertThat(fault.message()).hasSizeLessThan(300).contains("\uFFFD[2J\uFFFDx");
              assertThat(fault.path()).doesNotContain("\u001b", "\u202e");
            });
  }

  private static List<Fault> faults(byte[] json) {
    try {
      Manifest unused = ManifestReader.read(json, Format.JSON);
      return List.of();
    } catch (MalformedManifestException malformed) {
      return malformed.faults();
    }
  }
}
