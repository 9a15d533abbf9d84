package dev.viesti.protocol.trigger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TargetTest {
  private static final String SECRET = "whsec_" + base64(32);

  @Test
  void showsNoSecret() {
    Target webhook = webhook("https://example.org/hook", SECRET);
    Trigger trigger = Trigger.of(null, null, webhook, null, null, null, null, null);
    for (Object shown : List.of(webhook, trigger)) {
      assertThat(shown.toString())
          .contains("https://example.org/hook")
          .doesNotContain("whsec_")
          .doesNotContain(SECRET.substring(6));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://a",
        "https://a",
        "HTTPS://a:8443/x?y=z",
        "http://[::1]:80/",
        "http://127.0.0.1"
      })
  void takesHttpUrls(String url) {
    assertThat(webhook(url, null).url()).hasToString(url);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ftp://a",
        "file:///etc/passwd",
        "a/b",
        "//a/b",
        "https:///path",
        "https:a",
        "https://user@a",
        "https://user:pass@a",
        "https://a/#fragment"
      })
  void refusesOtherUrlsNamingTheField(String url) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> webhook(url, null))
        .withMessageStartingWith("url");
  }

  @Test
  void limitsTheUrl() {
    String longest = "https://a/" + "b".repeat(2_048 - 10);
    assertThat(webhook(longest, null).url().toString()).hasSize(2_048);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> webhook(longest + "b", null))
        .withMessageStartingWith("url");
  }

  @Test
  void takesSecretsOf24To64Bytes() {
    for (int bytes : new int[] {24, 32, 64}) {
      assertThat(webhook("https://a", "whsec_" + base64(bytes)).secret()).startsWith("whsec_");
    }
    for (String bad :
        List.of(
            "", "whsec_", "whsec_" + base64(23), "whsec_" + base64(65), base64(32), "whsec_%")) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> webhook("https://a", bad))
          .withMessageStartingWith("secret")
          .satisfies(
              refused -> {
                if (bad.length() > 6) {
                  assertThat(refused.getMessage()).doesNotContain(bad.substring(6));
                }
              });
    }
  }

  @Test
  void namesHandlersPlainly() {
    assertThat(new Target.Handler("a.B_c-1").name()).isEqualTo("a.B_c-1");
    assertThat(new Target.Handler("a".repeat(128)).name()).hasSize(128);
    for (String bad : List.of("", "a b", "a/b", "ä", "a".repeat(129))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new Target.Handler(bad))
          .withMessageStartingWith("name");
    }
  }

  @Test
  void isOneMemberOfAJsonObject() throws Exception {
    var json = new ObjectMapper();
    List<Target> targets =
        List.of(
            webhook("https://a/b", SECRET),
            new Target.Plugin("orders", "number"),
            new Target.Script("function f() {}", "f", List.of("kv:read:*", "log:write"), 20_000L),
            new Target.Handler("h"),
            new Target.Log());
    for (Target target : targets) {
      String text = json.writerFor(Target.class).writeValueAsString(target);
      assertThat(text).startsWith("{\"" + target.kind() + "\":");
      assertThat(json.readValue(text, Target.class)).isEqualTo(target);
    }
  }

  @Test
  void runsHandleEventUnlessAnotherFunctionIsNamed() throws Exception {
    var json = new ObjectMapper();
    assertThat(json.readValue("{\"plugin\":{\"name\":\"orders\"}}", Target.class))
        .isEqualTo(new Target.Plugin("orders", "handle-event"));
    for (String bad : List.of("", "9", "Orders", "a_b", "a".repeat(57))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new Target.Plugin(bad, null))
          .withMessageStartingWith("name");
    }
    for (String bad : List.of("", "-a", "handleEvent", "a".repeat(65))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new Target.Plugin("orders", bad))
          .withMessageStartingWith("function");
    }
  }

  @Test
  void bringsAScriptAlong() throws Exception {
    var json = new ObjectMapper();
    assertThat(json.readValue("{\"script\":{\"source\":\"let a;\"}}", Target.class))
        .isEqualTo(new Target.Script("let a;", "handleEvent", List.of(), null));
    assertThat(new Target.Script("secret()", null, null, null).toString())
        .isEqualTo("Script[function=handleEvent, characters=8]");
    String longest = "ä".repeat(Target.Script.SOURCE_BYTES_MAX / 2);
    assertThat(new Target.Script(longest, null, null, null).source()).isEqualTo(longest);
    for (String bad : List.of("", longest + "x")) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new Target.Script(bad, null, null, null))
          .withMessageStartingWith("source");
    }
    for (String bad : List.of("", "1a", "a-b", "a()", "a".repeat(65))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new Target.Script("1", bad, null, null))
          .withMessageStartingWith("function");
    }
    for (List<String> bad :
        List.of(Collections.nCopies(101, "log:write"), Arrays.asList("a", null))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new Target.Script("1", null, bad, null))
          .withMessageStartingWith("permissions");
    }
  }

  private static Target.Webhook webhook(String url, @Nullable String secret) {
    return new Target.Webhook(URI.create(url), secret);
  }

  private static String base64(int bytes) {
    return Base64.getEncoder().encodeToString(new byte[bytes]);
  }
}
