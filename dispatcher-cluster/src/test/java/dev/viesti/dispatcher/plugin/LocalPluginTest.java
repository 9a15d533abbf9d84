package dev.viesti.dispatcher.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.dispatcher.plugin.LocalPlugin.Run;
import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.PluginLimits;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LocalPluginTest {
  private LocalPlugin plugin;
  private long events;

  @BeforeEach
  void load() throws InvalidModuleException {
    plugin = load("guest-1", new PluginLimits(1_000_000, Duration.ofSeconds(20), 16));
  }

  @AfterEach
  void close() {
    plugin.close();
  }

  private static LocalPlugin load(String guest, PluginLimits limits) throws InvalidModuleException {
    return LocalPlugin.load(
        Given.manifest(limits, Given.ALL), module(guest), null, UUID::randomUUID);
  }

  private static byte[] module(String guest) {
    try (InputStream in = LocalPluginTest.class.getResourceAsStream(guest + ".wasm")) {
      return Objects.requireNonNull(in).readAllBytes();
    } catch (IOException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private Run deliver(String type, String data) throws InterruptedException {
    return deliver(type, data, Given.NOON);
  }

  private Run deliver(String type, String data, Instant now) throws InterruptedException {
    return plugin.deliver(
        Event.of(new UUID(7, ++events), "test", type, null, Payload.ofJson(data)), now);
  }

  @Test
  void startsAsOnItsFirstInstallation() throws Exception {
    Run start = plugin.start(Given.NOON);
    assertThat(start.outcome()).isEqualTo("succeeded");
    assertThat(start.fuel()).isPositive();
    assertThat(start.changes().kv()).containsExactlyInAnyOrderEntriesOf(plugin.kv());
    assertThat(plugin.kv())
        .containsOnly(Map.entry("meta/app", "local"), Map.entry("meta/inits", "1"));
  }

  @Test
  void saysWhyItsStartFailed() throws Exception {
    try (LocalPlugin failing = load("guest-init-fails", PluginLimits.DEFAULT)) {
      Run start = failing.start(Given.NOON);
      assertThat(start.outcome()).isEqualTo("failed");
      assertThat(start.kind()).isEqualTo("error");
      assertThat(start.error()).isEqualTo("init does not want to");
      assertThat(failing.kv()).isEmpty();
    }
  }

  @Test
  void showsWhatOneEventHasChanged() throws Exception {
    Run first = deliver("put", "one");
    Run second = deliver("put", "two");
    assertThat(first.changes().kv()).containsOnly(Map.entry("puts/one", "1"));
    assertThat(second.changes().kv()).containsOnly(Map.entry("puts/two", "1"));
    assertThat(second.changes().writes()).isEqualTo(1);
    assertThat(second.fuel()).isEqualTo(first.fuel());
    assertThat(plugin.kv()).containsOnlyKeys("puts/one", "puts/two");
  }

  @Test
  void tellsErrorsByTheirKind() throws Exception {
    assertThat(deliver("fail", "1"))
        .returns("retryable", Run::outcome)
        .returns("error", Run::kind)
        .returns("no", Run::error);
    assertThat(deliver("permanent", "1"))
        .returns("permanent", Run::outcome)
        .returns("never", Run::error);
    assertThat(deliver("trap", "1")).returns("retryable", Run::outcome).returns("trap", Run::kind);
    assertThat(deliver("loop", "1")).returns("fuel", Run::kind);
    assertThat(deliver("pointer", "1").error()).startsWith("fuel: ");
    assertThat(plugin.kv()).isEmpty();
    assertThat(deliver("put", "fine")).returns("succeeded", Run::outcome).returns(null, Run::kind);
  }

  @Test
  void saysAfterWhichTimeACallWasEnded() throws Exception {
    var limits = new PluginLimits(1_000_000_000, Duration.ofMillis(50), 16);
    try (LocalPlugin slow = load("guest-1", limits)) {
      Event loop = Event.of(new UUID(7, 1), "test", "loop", null, Payload.NONE);
      assertThat(slow.deliver(loop, Given.NOON))
          .returns("timed_out", Run::outcome)
          .returns("timeout", Run::kind)
          .returns("not done after 50 ms", Run::error);
    }
  }

  @Test
  void goesOnHoweverOftenItTraps() throws Exception {
    for (int i = 0; i < 20; i++) {
      deliver("trap", "1");
    }
    assertThat(deliver("put", "fine").outcome()).isEqualTo("succeeded");
  }

  @Test
  void keepsWhatIsPublishedAndTakesNumbersOfTheYearThatACallIsMadeIn() throws Exception {
    Run published = deliver("publish", "{\"a\":1}");
    assertThat(published.changes().published())
        .singleElement()
        .returns("published", Event::type)
        .returns("plugin/orders", Event::source);
    assertThat(plugin.published()).isEqualTo(published.changes().published());
    deliver("number", "a");
    Run later = deliver("number", "b", Instant.parse("2027-01-01T00:00:00Z"));
    assertThat(later.changes().numbers()).containsOnly(Map.entry("order/2027", 1L));
    assertThat(plugin.kv()).containsKeys("numbers/ORD-2026-0001", "numbers/ORD-2027-0001");
  }

  @Test
  void invokesFunctionsByName() throws Exception {
    assertThat(plugin.invoke("echo", Payload.ofJson("[1]"), "me", Given.NOON).reply())
        .isEqualTo(Payload.ofJson("[1]"));
    assertThat(plugin.invoke("no-such", Payload.NONE, "me", Given.NOON))
        .returns("failed", Run::outcome)
        .returns("contract", Run::kind);
  }

  @Test
  void namesWhatTheModuleWantsOfItsHost() {
    assertThat(plugin.imports())
        .containsExactlyInAnyOrder("kv.get", "kv.put", "events.publish", "numbering.next");
  }

  @Test
  void refusesWhatAServerWouldRefuse() {
    assertThatThrownBy(
            () ->
                LocalPlugin.load(
                    Given.manifest(PluginLimits.DEFAULT), new byte[9], null, UUID::randomUUID))
        .isInstanceOf(InvalidModuleException.class);
  }
}
