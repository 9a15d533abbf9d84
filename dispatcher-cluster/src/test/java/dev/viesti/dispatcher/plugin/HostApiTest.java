package dev.viesti.dispatcher.plugin;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.persistence.effects.Effects;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class HostApiTest {
  private static final int DEPTH_MAX = 4;

  private final LocalStore store = new LocalStore(Clock.fixed(Given.NOON, ZoneOffset.UTC));
  private final CallBuffer buffer = new CallBuffer();
  private int reads;

  private HostApi api(@Nullable Event cause, @Nullable String config, String... permissions) {
    return new HostApi(
        Given.scope(Given.installed(config, permissions), cause),
        buffer,
        new HostApi.Parts(
            store,
            new HostApi.Store() {
              @Override
              public <T extends @Nullable Object> T read(Callable<T> read)
                  throws WasmTrapException {
                reads++;
                try {
                  return read.call();
                } catch (Exception failed) {
                  throw new AssertionError(failed);
                }
              }
            },
            line -> {},
            UUID::randomUUID,
            other -> null,
            DEPTH_MAX));
  }

  private HostApi api() {
    return api(null, null, Given.ALL);
  }

  private void stored(String collection, String key, String value) {
    store.commit(
        List.of(
            new Effects(
                Given.SHOP,
                1,
                null,
                "test",
                List.of(new Effects.KvWrite(collection, key, Payload.ofJson(value), null)),
                List.of(),
                List.of(),
                List.of())));
  }

  @Test
  void readsItsOwnWrites() throws Exception {
    stored("c", "a", "1");
    stored("c", "b", "2");
    HostApi api = api();
    assertThat(api.kvGet("c", "a")).isEqualTo("1".getBytes(UTF_8));
    api.kvPut("c", "a", "3".getBytes(UTF_8));
    assertThat(api.kvGet("c", "a")).isEqualTo("3".getBytes(UTF_8));
    assertThat(api.kvDelete("c", "b")).isTrue();
    assertThat(api.kvGet("c", "b")).isNull();
    assertThat(api.kvDelete("c", "b")).isFalse();
    assertThat(api.kvDelete("c", "none")).isFalse();
  }

  @Test
  void keepsWhatItHasReadAsItWas() throws Exception {
    stored("c", "a", "1");
    HostApi api = api();
    api.kvGet("c", "a");
    stored("c", "a", "2");
    assertThat(api.kvGet("c", "a")).isEqualTo("1".getBytes(UTF_8));
    assertThat(reads).isEqualTo(1);
  }

  /** Whoever has read must not overwrite what it has not seen; whoever has not, may. */
  @Test
  void expectsWhatItHasReadAndNothingElse() throws Exception {
    stored("c", "read", "1");
    stored("c", "blind", "1");
    long version = Objects.requireNonNull(store.kv(Given.SHOP, "c", "read")).version();
    HostApi api = api();
    api.kvGet("c", "read");
    api.kvGet("c", "absent");
    api.kvPut("c", "read", new byte[] {1});
    api.kvPut("c", "absent", new byte[] {1});
    api.kvPut("c", "blind", new byte[] {1});
    api.kvGet("c", "blind"); // its own write, nobody else's
    api.kvDelete("c", "deleted");
    assertThat(buffer.kvWrites())
        .extracting(Effects.KvWrite::key, Effects.KvWrite::expected)
        .containsExactly(
            tuple("absent", 0L),
            tuple("blind", null),
            tuple("deleted", 0L),
            tuple("read", version));
  }

  @Test
  void listsKeysAsIfItsWritesWereThere() throws Exception {
    var random = new Random(4711);
    for (int round = 0; round < 300; round++) {
      var model = new TreeSet<String>();
      var fresh = new HostApiTest();
      for (int n = random.nextInt(30); n > 0; n--) {
        String key = key(random);
        fresh.stored("c", key, "0");
        model.add(key);
      }
      HostApi api = fresh.api();
      for (int n = random.nextInt(20); n > 0; n--) {
        String key = key(random);
        if (random.nextBoolean()) {
          api.kvPut("c", key, new byte[] {1});
          model.add(key);
        } else {
          api.kvDelete("c", key);
          model.remove(key);
        }
      }
      String prefix = random.nextBoolean() ? "" : "k" + random.nextInt(3);
      int limit = 1 + random.nextInt(6);
      List<String> all = new ArrayList<>();
      List<String> page = List.of("");
      while (!page.isEmpty()) {
        page = api.kvList("c", prefix, all.isEmpty() ? "" : all.getLast(), limit);
        all.addAll(page);
        if (page.size() < limit) {
          break;
        }
      }
      assertThat(all)
          .as("round %d", round)
          .containsExactlyElementsOf(model.stream().filter(key -> key.startsWith(prefix)).toList());
    }
  }

  private static String key(Random random) {
    return "k" + random.nextInt(40);
  }

  @Test
  void numbersWithoutGapsWithinACall() throws Exception {
    HostApi api = api();
    assertThat(api.numberingNext("order")).isEqualTo("ORD-2026-0001");
    assertThat(api.numberingNext("order")).isEqualTo("ORD-2026-0002");
    assertThat(reads).isEqualTo(1);
    assertThat(buffer.steps(Given.PLUGIN))
        .containsExactly(new Effects.NumberingStep(Given.PLUGIN, "order", "2026", 0, 2));
    refused("no numbering rule 'invoice'", () -> api.numberingNext("invoice"));
  }

  @Test
  void publishesWhatDescendsFromItsCause() throws Exception {
    UUID root = UUID.randomUUID();
    Event cause = Given.event(1, root);
    HostApi api = api(cause, null, Given.ALL);
    String id = api.publish("order.numbered", "4711", "{\"a\":1}".getBytes(UTF_8));
    api.publish("order.raw", "", new byte[] {(byte) 0xff});
    Event json = buffer.events().getFirst();
    assertThat(json.id()).hasToString(id);
    assertThat(json.depth()).isEqualTo(2);
    assertThat(json.root()).isEqualTo(root);
    assertThat(json.principal()).isEqualTo("alice");
    assertThat(json.traceparent()).isEqualTo(cause.traceparent());
    assertThat(json.source()).isEqualTo("plugin/orders");
    assertThat(json.dataBinary()).isFalse();
    Event raw = buffer.events().getLast();
    assertThat(raw.dataBinary()).isTrue();
    assertThat(raw.subject()).isNull();
  }

  @Test
  void endsChainsOfEvents() throws Exception {
    refused(
        "4 in a row are enough",
        () -> api(Given.event(DEPTH_MAX, null), null, Given.ALL).publish("t", "", new byte[0]));
    api(Given.event(DEPTH_MAX - 1, null), null, Given.ALL).publish("t", "", new byte[0]);
  }

  @Test
  void showsItsConfiguration() throws Exception {
    HostApi api = api(null, "{\"mail\":{\"from\":\"a@b\"}}", Given.ALL);
    assertThat(api.configGet("/mail/from")).isEqualTo("\"a@b\"");
    assertThat(api.configGet("")).isEqualTo("{\"mail\":{\"from\":\"a@b\"}}");
    assertThat(api.configGet("/none")).isNull();
    refused("JSON Pointer", () -> api.configGet("mail"));
    assertThat(api().configGet("")).isNull();
  }

  @Test
  void doesNothingThatTheManifestDoesNotPermit() {
    HostApi none = api(Given.event(0, null), "{}");
    Map<String, ThrowingCallable> all =
        Map.ofEntries(
            Map.entry("kv:read on 'c'", () -> none.kvGet("c", "k")),
            Map.entry("kv:read on 'd'", () -> none.kvList("d", "", "", 1)),
            Map.entry("kv:write on 'c'", () -> none.kvPut("c", "k", new byte[0])),
            Map.entry("kv:write on 'd'", () -> none.kvDelete("d", "k")),
            Map.entry("numbering:next on 'order'", () -> none.numberingNext("order")),
            Map.entry("config:read", () -> none.configGet("")),
            Map.entry("event:publish on 't'", () -> none.publish("t", "", new byte[0])),
            Map.entry("log:write", () -> none.log("info", "hello")),
            Map.entry("context:read", none::permissions));
    all.forEach((what, call) -> refused("the manifest does not permit " + what, call));
    assertThat(buffer.isEmpty()).isTrue();
    assertThat(reads).isZero();
  }

  @Test
  void permitsByPattern() throws Exception {
    HostApi api = api(null, null, "kv:write:orders*", "kv:read:exact");
    api.kvPut("orders-2026", "k", new byte[0]);
    refused("kv:write on 'other'", () -> api.kvPut("other", "k", new byte[0]));
    refused("kv:read on 'exactly'", () -> api.kvGet("exactly", "k"));
    assertThat(api.kvGet("exact", "k")).isNull();
  }

  @Test
  void limitsWhatOneCallMayWrite() throws Exception {
    HostApi api = api();
    refused("at most 1048576 bytes", () -> api.kvPut("c", "k", new byte[(1 << 20) + 1]));
    refused("key has 1 to 256 characters", () -> api.kvPut("c", "", new byte[0]));
    refused("control characters", () -> api.kvPut("c", "a\nb", new byte[0]));
    for (int n = 0; n < 100; n++) {
      api.publish("t", "", new byte[0]);
    }
    refused("at most 100 events", () -> api.publish("t", "", new byte[0]));
    api.kvPut("c", "1", new byte[1 << 20]);
    api.kvPut("c", "2", new byte[1 << 20]);
    api.kvPut("c", "3", new byte[1 << 20]);
    refused("at most 4194304 bytes", () -> api.kvPut("c", "4", new byte[1 << 20]));
    for (int n = 0; n < 897; n++) {
      api.kvPut("c", "k", new byte[0]);
    }
    refused("at most 1000 times", () -> api.kvPut("c", "k", new byte[0]));
  }

  /** What was read stays in memory: nobody may fill the heap with it. */
  @Test
  void limitsWhatOneCallMayRead() throws Exception {
    String large = "x".repeat(1 << 20);
    for (int n = 0; n < 8; n++) {
      stored("c", "k" + n, large);
    }
    HostApi api = api();
    for (int n = 0; n < 7; n++) {
      api.kvGet("c", "k" + n);
    }
    refused("at most 8388608 bytes of kv", () -> api.kvGet("c", "k7"));
    assertThat(api.kvGet("c", "k0")).hasSize(1 << 20);
  }

  @Test
  void keepsTheLogReadable() throws Exception {
    assertThat(JsonText.oneLine("a\nb\u001b[31m", 100)).isEqualTo("a b [31m");
    assertThat(JsonText.oneLine("abcdef", 3)).isEqualTo("abc…");
    HostApi api = api();
    for (int n = 0; n < 100; n++) {
      api.log("debug", "line");
    }
    refused("at most 100 lines", () -> api.log("debug", "line"));
  }

  private static void refused(String why, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(HostException.class).hasMessageContaining(why);
  }
}
