package dev.viesti.dispatcher.plugin.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.typesafe.config.ConfigFactory;
import dev.viesti.dispatcher.json.Json;
import dev.viesti.protocol.plugin.Manifest;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.serialization.jackson.JacksonObjectMapperProvider;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Manifests stand in the journal and in answers of the API, and come back as they were. */
class ManifestJsonTest {
  private static final ActorTestKit KIT =
      ActorTestKit.create(
          ConfigFactory.parseString("pekko.actor.provider = local")
              .withFallback(ConfigFactory.parseResources("viesti-pekko.conf"))
              .withFallback(ConfigFactory.defaultReferenceUnresolved())
              .resolve());

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  /** Of the API, of the journal, and of messages between nodes. */
  static List<ObjectMapper> mappers() {
    var pekko = JacksonObjectMapperProvider.get(KIT.system());
    return List.of(
        Json.MAPPER,
        pekko.getOrCreate("jackson-json", Optional.empty()),
        pekko.getOrCreate("jackson-cbor", Optional.of(new CBORFactory())));
  }

  @ParameterizedTest
  @MethodSource("mappers")
  void comesBackAsItWas(ObjectMapper mapper) throws Exception {
    for (String json : List.of(Manifests.FULL_JSON, Manifests.small(""))) {
      Manifest manifest = Manifests.read(json);

      byte[] written = mapper.writeValueAsBytes(manifest);

      assertThat(mapper.readValue(written, Manifest.class)).isEqualTo(manifest);
    }
  }

  @ParameterizedTest
  @MethodSource("mappers")
  void keepsEveryDigitOfTheConfigSchema(ObjectMapper mapper) throws Exception {
    String schema =
        """
        {"maximum":0.1000000000000000055511151231257827,"minimum":-1.50E+300,\
        "const":123456789012345678901234567890,"title":"ä\\"\\u001f"}""";
    Manifest manifest = Manifests.read(Manifests.small(",\"config\":" + schema));
    assertThat(manifest.configSchema()).isEqualToIgnoringCase(schema);

    byte[] written = mapper.writeValueAsBytes(manifest);

    assertThat(mapper.readValue(written, Manifest.class).configSchema())
        .isEqualTo(manifest.configSchema());
  }

  @Test
  void looksAsItsAuthorWroteIt() throws Exception {
    Manifest manifest = Manifests.read(Manifests.FULL_JSON);

    var shown = Json.MAPPER.valueToTree(manifest);

    assertThat(shown.at("/config/properties/from/type").textValue()).isEqualTo("string");
    assertThat(shown.at("/permissions/0").textValue()).isEqualTo("kv:write:orders");
    assertThat(shown.at("/entities/0/fields/1/references").textValue()).isEqualTo("crm/customer");
    assertThat(shown.at("/entities/0/fields/1/type").textValue()).isEqualTo("reference");
    assertThat(shown.at("/numbering/0/reset").textValue()).isEqualTo("yearly");
    assertThat(shown.at("/limits/timeout").textValue()).isEqualTo("45s");
    assertThat(shown.has("configSchema")).isFalse();
  }
}
