package dev.viesti.persistence.effects;

import static dev.viesti.persistence.effects.EffectsFixture.CRM;
import static dev.viesti.persistence.effects.EffectsFixture.call;
import static dev.viesti.persistence.effects.EffectsFixture.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.PluginId;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

final class KvPostgresTest {
  private static final EffectsFixture FIXTURE = new EffectsFixture();
  private static final KvRepository KV = FIXTURE.kv;
  private static final Payload ONE = Payload.ofJson("1");

  @AfterAll
  static void close() {
    FIXTURE.close();
  }

  @Test
  void putsReplacesAndDeletesAtTheExpectedVersionOnly() throws Exception {
    var app = new AppId("direct");
    long first = KV.put(app, "c", "k", ONE, Effects.ABSENT).orElseThrow();
    assertThat(KV.put(app, "c", "k", ONE, Effects.ABSENT)).isEmpty();
    assertThat(KV.put(app, "c", "k", ONE, first + 1)).isEmpty();
    assertThat(KV.put(app, "c", "other", ONE, first)).as("replaces nothing").isEmpty();
    long second = KV.put(app, "c", "k", Payload.NONE, first).orElseThrow();
    assertThat(second).isGreaterThan(first);
    assertThat(value(app).data()).as("empty is a value").isEqualTo(Payload.NONE);
    assertThat(value(app).version()).isEqualTo(second);
    assertThat(KV.put(app, "c", "k", ONE, null).orElseThrow()).isGreaterThan(second);
    assertThat(KV.delete(app, "c", "k", second)).isFalse();
    assertThat(KV.delete(app, "c", "k", value(app).version())).isTrue();
    assertThat(KV.delete(app, "c", "k", null)).isFalse();
    assertThat(KV.get(app, "c", "k")).isNull();
    OptionalLong again = KV.put(app, "c", "k", ONE, Effects.ABSENT);
    assertThat(again.orElseThrow()).isGreaterThan(second);
  }

  private static KvRepository.Value value(AppId app) throws Exception {
    return Objects.requireNonNull(KV.get(app, "c", "k"));
  }

  @Test
  void listsTheKeysOfAPrefixPageByPage() throws Exception {
    var app = new AppId("list");
    List<String> keys =
        List.of(
            "a",
            "b",
            "b'",
            "b%",
            "b/1",
            "b/2",
            "b\uffff",
            "b\ud83d\ude00",
            "c",
            "\ud7ff",
            "\ue000");
    for (String key : keys) {
      KV.put(app, "c", key, ONE, null);
      KV.put(app, "d", key, ONE, null);
      KV.put(new AppId("list-other"), "c", key, ONE, null);
    }
    assertThat(list(app, "b"))
        .containsExactly("b", "b%", "b'", "b/1", "b/2", "b\uffff", "b\ud83d\ude00");
    assertThat(list(app, "b/")).containsExactly("b/1", "b/2");
    assertThat(list(app, "b%")).containsExactly("b%");
    assertThat(list(app, "\ud7ff")).containsExactly("\ud7ff");
    assertThat(list(app, "")).containsExactlyInAnyOrderElementsOf(keys);
    assertThat(list(app, "' or true --")).isEmpty();
  }

  private static List<String> list(AppId app, String prefix) throws Exception {
    List<String> all = new ArrayList<>();
    String after = null;
    while (true) {
      List<KvRepository.Key> page = KV.list(app, "c", prefix, after, 2);
      page.forEach(key -> all.add(key.key()));
      if (page.size() < 2) {
        return all;
      }
      after = page.getLast().key();
    }
  }

  @Test
  void refusesWhatNoValueCanBeCalled() {
    var app = new AppId("names");
    assertThatThrownBy(() -> KV.put(app, "", "k", ONE, null))
        .hasMessage("collection has 1 to 256 characters, not 0");
    assertThatThrownBy(() -> KV.get(app, "c", "\0"))
        .hasMessage("key must not contain control characters or half of a surrogate pair");
    assertThatThrownBy(() -> KV.delete(app, "c", "k".repeat(257), null))
        .hasMessage("key has 1 to 256 characters, not 257");
    assertThatThrownBy(() -> KV.put(app, "c", "k", Payload.of(new byte[1_048_577]), null))
        .hasMessage("value has at most 1,048,576 bytes, not 1,048,577");
    assertThatThrownBy(() -> KV.list(app, "c", "", null, 1_001))
        .hasMessage("limit is 1 to 1000, not 1001");
  }

  @Test
  void forgetsEverythingOfAnAppAndNothingOfAnother() throws Exception {
    AppId app = FIXTURE.owned("forget");
    AppId other = FIXTURE.owned("forget-not");
    for (AppId each : List.of(app, other)) {
      var wish = call(each).takes(0, 1);
      for (int n = 0; n < 5; n++) {
        wish.with(put("k" + n, "1")).inserts(new UUID(1, n), "{}");
      }
      FIXTURE.commit(wish);
    }
    var forget = new ForgetRepository(FIXTURE.rows.database);
    assertThat(forget.forget(app, new PluginId("erp"), 100)).isZero();
    assertThat(forget.forget(app, CRM, 4)).isEqualTo(4);
    assertThat(forget.forget(app, CRM, 4)).isEqualTo(2);
    assertThat(FIXTURE.numbering.last(app, CRM, "invoice", "2026")).isZero();
    assertThat(FIXTURE.value(app, "k0")).as("values are the app's").isEqualTo("1");
    assertThat(forget.forget(app, 100)).isEqualTo(5);
    assertThat(forget.forget(app, 100)).isZero();
    assertThat(forget.forget(other, 7)).isEqualTo(7);
    assertThat(forget.forget(other, 7)).isEqualTo(4);
  }
}
