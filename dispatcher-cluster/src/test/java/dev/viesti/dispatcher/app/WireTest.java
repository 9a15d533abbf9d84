package dev.viesti.dispatcher.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.viesti.dispatcher.AppView;
import dev.viesti.dispatcher.Completion;
import dev.viesti.dispatcher.DeliveryView;
import dev.viesti.dispatcher.PluginRelease;
import dev.viesti.dispatcher.PluginView;
import dev.viesti.dispatcher.Receipt;
import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.TriggerView;
import dev.viesti.dispatcher.plugin.PluginMetrics;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.dispatcher.wire.Wire;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.Permission;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.plugin.PluginLimits;
import dev.viesti.protocol.trigger.EventPattern;
import dev.viesti.protocol.trigger.OrderBy;
import dev.viesti.protocol.trigger.RetryPolicy;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.io.NotSerializableException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.apache.pekko.serialization.Serializer;
import org.apache.pekko.serialization.Serializers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** What crosses between nodes and what stands in the journal comes back as it was. */
class WireTest {
  private static final ActorTestKit KIT =
      ActorTestKit.create(
          ConfigFactory.parseString("pekko.actor.provider = local")
              .withFallback(ConfigFactory.parseResources("viesti-pekko.conf"))
              .withFallback(ConfigFactory.defaultReferenceUnresolved())
              .resolve());
  private static final Instant AT = Instant.parse("2026-03-04T05:06:07.891234Z");
  private static final TriggerId TRIGGER_ID = new TriggerId("orders");
  private static final Event EVENT =
      new Event(
          Event.derivedId("s", "1"),
          "1",
          "s",
          "t",
          "sub",
          "{\"time\":\"2026-01-01T00:00:00Z\"}",
          Payload.ofJson("{\"n\":1.00}"),
          false,
          "someone",
          2,
          new UUID(1, 2),
          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  private static final Trigger TRIGGER =
      new Trigger(
          new EventPattern("a*", "*", "x"),
          "data.n == 1",
          new Target.Webhook(
              URI.create("https://example.org/hook"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
          RetryPolicy.DEFAULT,
          Duration.ofSeconds(30),
          8,
          OrderBy.SUBJECT,
          true);

  private static final Trigger SCRIPTED =
      TRIGGER.withTarget(
          new Target.Script(
              "function f() { return '\\u00e4'; }", "f", List.of("kv:read:a*"), 20_000L));

  private static final PluginId PLUGIN = new PluginId("orders");
  private static final PluginRelease RELEASE =
      new PluginRelease(
          "ab".repeat(32),
          4_711,
          new Manifest(
              PLUGIN,
              "Orders",
              "1.0.0",
              List.of(Permission.of("kv:write:orders*")),
              List.of(new EventPattern("*", "order.*", "*")),
              List.of(),
              List.of(),
              "{\"type\":\"object\"}",
              PluginLimits.DEFAULT),
          "{\"n\":1}");
  private static final PluginView PLUGIN_VIEW =
      new PluginView(
          PLUGIN,
          new PluginView.Version(RELEASE, AT, "me"),
          new PluginView.Version(RELEASE.withConfig(null), AT, "you"),
          null,
          true,
          "trap",
          AT,
          2,
          3,
          AT,
          AT);

  private final Serialization serialization = SerializationExtension.get(KIT.system());

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  @Test
  void everyCommandCrossesNodes() {
    TestProbe<Answer> probe = KIT.createTestProbe();
    ActorRef<Answer> replyTo = probe.getRef();
    Delivery row = Delivery.fresh(7, EVENT, TRIGGER_ID, "key", AT);
    List<App.Command> samples =
        List.of(
            new App.PutApp(AppSettings.DEFAULT, 3L, "me", replyTo),
            new App.GetApp(replyTo),
            new App.DeleteApp(true, "me", replyTo),
            new App.PutTrigger(TRIGGER_ID, SCRIPTED, null, "me", replyTo),
            new App.GetTrigger(TRIGGER_ID, replyTo),
            new App.ListTriggers(replyTo),
            new App.DeleteTrigger(TRIGGER_ID, "me", replyTo),
            new App.Publish(List.of(EVENT), replyTo),
            new OutboxRequest.AskRunning(replyTo),
            new OutboxRequest.ListClientRows(null, 7, 100, replyTo),
            new OutboxRequest.FindClientRow(row.id(), replyTo),
            new OutboxRequest.RetryDelivery(row, replyTo),
            new OutboxRequest.CancelDelivery(row.retriedAt(AT, AT, "e", "[]"), replyTo),
            new OutboxRequest.CompleteDelivery(row.id(), Completion.failed("no", true), replyTo),
            new OutboxRequest.Replay(List.of(new UUID(3, 4)), replyTo),
            new PluginRequest.PutPlugin(PLUGIN, RELEASE, 1L, "me", replyTo),
            new PluginRequest.GetPlugin(PLUGIN, replyTo),
            new PluginRequest.ListPlugins(replyTo),
            new PluginRequest.EnablePlugin(PLUGIN, "me", replyTo),
            new PluginRequest.DisablePlugin(PLUGIN, "me", replyTo),
            new PluginRequest.RollBackPlugin(PLUGIN, "me", replyTo),
            new PluginRequest.ConfigurePlugin(PLUGIN, null, null, "me", replyTo),
            new PluginRequest.DeletePlugin(PLUGIN, true, "me", replyTo),
            new PluginRequest.CheckHealth(PLUGIN, replyTo),
            new PluginRequest.ReadMetrics(PLUGIN, replyTo),
            new PluginRequest.Invoke(TRIGGER_ID, Payload.ofJson("{}"), "me", replyTo),
            new App.DeadLettersResolved(),
            new App.Wake(),
            new App.Stop());
    samples.forEach(this::roundTrip);
    roundTrip(new OutboxRequest.CancelDelivery(row.dueAt(Delivery.UNROUTED), replyTo));
    assertThat(samples.stream().map(Object::getClass))
        .as("a sample for each command that crosses nodes")
        .containsExactlyInAnyOrderElementsOf(wire(App.Command.class));
  }

  @Test
  void everyAnswerCrossesNodes() {
    var view = new TriggerView(TRIGGER_ID, TRIGGER, 2, AT, AT, "gone");
    Delivery row = Delivery.fresh(7, EVENT, TRIGGER_ID, null, AT);
    List<Answer> samples =
        List.of(
            new Answer.Accepted(List.of(new Receipt("1", 2, false))),
            new Answer.App(new AppView(new AppId("shop"), AppSettings.DEFAULT, 1, AT, AT)),
            new Answer.OneTrigger(view),
            new Answer.Triggers(List.of(view)),
            new Answer.OneDelivery(new DeliveryView(row, DeliveryView.State.WAITING)),
            new Answer.Running(List.of(1L, 2L)),
            new Answer.ClientRows(List.of(1L, 2L), List.of(TRIGGER_ID, TRIGGER_ID)),
            new Answer.Replayed(4),
            new Answer.OnePlugin(PLUGIN_VIEW),
            new Answer.Plugins(List.of(PLUGIN_VIEW.summary())),
            new Answer.PluginHealth("no memory"),
            new Answer.Metrics(
                new PluginMetrics(
                    AT, 9, Map.of("fuel", 2L), 30, 1_000, 65_536, 1, "fuel", AT, null)),
            new Answer.Invoked(Payload.ofJson("[1.0]")),
            new Answer.Done(),
            new Answer.Refused(new Refusal.Unavailable("away", Duration.ofSeconds(1))));
    samples.forEach(this::roundTrip);
    roundTrip(new Answer.PluginHealth(null));
    assertThat(samples.stream().map(Object::getClass))
        .containsExactlyInAnyOrderElementsOf(wire(Answer.class));
    Stream.of(
            new Refusal.NotFound("no"),
            new Refusal.Invalid("/filter", "no"),
            new Refusal.Malformed("no", List.of(new Refusal.Fault("/a/0", "no"))),
            new Refusal.CallFailed("no", "trap", "unreachable"),
            new Refusal.Conflict("no"),
            new Refusal.PreconditionFailed(3))
        .forEach(refusal -> roundTrip(new Answer.Refused(refusal)));
  }

  @Test
  void everyJournaledEventAndTheSnapshotComeBack() {
    List<AppEvent> samples =
        List.of(
            new AppEvent.AppCreated(AppSettings.DEFAULT, AT, "me"),
            new AppEvent.SettingsChanged(AppSettings.of("x", 2, true, null), AT, "me"),
            new AppEvent.AppDeleted(AT, "me"),
            new AppEvent.TriggerRegistered(TRIGGER_ID, TRIGGER, AT, "me"),
            new AppEvent.TriggerChanged(
                TRIGGER_ID, TRIGGER.withTarget(new Target.Handler("h")), AT, "me"),
            new AppEvent.TriggerDisabled(TRIGGER_ID, "410", AT),
            new AppEvent.TriggerRemoved(TRIGGER_ID, AT, "me"),
            new PluginEvent.PluginUploaded(PLUGIN, RELEASE, AT, "me"),
            new PluginEvent.PluginInitialized(PLUGIN, AT, "me"),
            new PluginEvent.PluginInitFailed(PLUGIN, "no", AT, "me"),
            new PluginEvent.PluginRolledBack(PLUGIN, AT, "me"),
            new PluginEvent.PluginEnabled(PLUGIN, AT, "me"),
            new PluginEvent.PluginDisabled(PLUGIN, AT, "me"),
            new PluginEvent.PluginConfigured(PLUGIN, "{}", AT, "me"),
            new PluginEvent.PluginQuarantined(PLUGIN, "trap", AT.plusSeconds(60), 1, AT, "viesti"),
            new PluginEvent.PluginRecovered(PLUGIN, AT, "viesti"),
            new PluginEvent.PluginRemoved(PLUGIN, AT, "me"));
    samples.forEach(this::roundTrip);
    assertThat(samples.stream().map(Object::getClass))
        .containsExactlyInAnyOrderElementsOf(all(AppEvent.class));
    SortedMap<String, TriggerView> triggers = new TreeMap<>();
    triggers.put("orders", new TriggerView(TRIGGER_ID, TRIGGER, 1, AT, AT, null));
    SortedMap<String, PluginView> plugins = new TreeMap<>(Map.of("orders", PLUGIN_VIEW));
    roundTrip(new AppState(AppSettings.DEFAULT, 5, AT, AT, triggers, plugins));
    roundTrip(AppState.NONE);
  }

  /** These bytes are in journals out there: they must be read for ever. */
  @Test
  void readsTheFirstVersionOfTheJournal() {
    assertThat(
            read(
                AppEvent.AppCreated.class,
                """
                {"settings":{"displayName":"Billing","concurrency":64,"paused":false,"retry":\
                {"strategy":"exponential","maxAttempts":20,"base":"1s","cap":"32s","jitter":0.2}},\
                "at":"2026-03-04T05:06:07.891234Z","by":"me","somethingNew":1}"""))
        .isEqualTo(new AppEvent.AppCreated(AppSettings.of("Billing", 64, false, null), AT, "me"));
    assertThat(
            read(
                AppEvent.TriggerRegistered.class,
                """
                {"id":"orders","trigger":{"on":{"source":"a*","type":"*","subject":"x"},\
                "filter":"data.n == 1","target":{"webhook":{"url":"https://example.org/hook",\
                "secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}},"retry":{"strategy":\
                "exponential","maxAttempts":20,"base":"1s","cap":"32s","jitter":0.2},\
                "timeout":"30s","concurrency":8,"orderBy":"subject","enabled":true},\
                "at":"2026-03-04T05:06:07.891234Z","by":"me"}"""))
        .isEqualTo(new AppEvent.TriggerRegistered(TRIGGER_ID, TRIGGER, AT, "me"));
  }

  /** As written before there were plugins. */
  @Test
  void readsASnapshotWithoutPlugins() {
    assertThat(
            read(
                AppState.class,
                """
                {"settings":{"displayName":"Billing","concurrency":64,"paused":false,"retry":\
                {"strategy":"exponential","maxAttempts":20,"base":"1s","cap":"32s","jitter":0.2}},\
                "revision":5,"createdAt":"2026-03-04T05:06:07.891234Z",\
                "updatedAt":"2026-03-04T05:06:07.891234Z","triggers":{}}"""))
        .isEqualTo(
            new AppState(
                AppSettings.of("Billing", 64, false, null),
                5,
                AT,
                AT,
                new TreeMap<>(),
                new TreeMap<>()));
  }

  /** What a manifest looks like in journals out there. */
  @Test
  void readsTheFirstVersionOfAnUploadedPlugin() {
    assertThat(
            read(
                PluginEvent.PluginUploaded.class,
                """
                {"id":"orders","release":{"sha256":"%s","size":4711,"manifest":{"id":"orders",\
                "name":"Orders","version":"1.0.0","permissions":["kv:write:orders*"],"subscribe":\
                [{"source":"*","type":"order.*","subject":"*"}],"entities":[],"numbering":[],\
                "config":{"type":"object"},"limits":{"fuel":10000000,"timeout":"30s",\
                "memoryPages":256}},"config":"{\\"n\\":1}"},"at":"2026-03-04T05:06:07.891234Z","by":"me"}"""
                    .formatted("ab".repeat(32))))
        .isEqualTo(new PluginEvent.PluginUploaded(PLUGIN, RELEASE, AT, "me"));
  }

  private <T> Object read(Class<T> type, String json) {
    Serializer serializer;
    try {
      serializer = serialization.serializerFor(type);
    } catch (NotSerializableException unbound) {
      throw new AssertionError(unbound);
    }
    return serialization
        .deserialize(json.getBytes(StandardCharsets.UTF_8), serializer.identifier(), type.getName())
        .get();
  }

  private void roundTrip(Object message) {
    var serializer = serialization.findSerializerFor(message);
    assertThat(serializer.getClass().getName()).contains("Jackson");
    byte[] bytes = serialization.serialize(message).get();
    Object back =
        serialization
            .deserialize(
                bytes, serializer.identifier(), Serializers.manifestFor(serializer, message))
            .get();
    assertThat(back).isEqualTo(message);
  }

  private static List<Class<?>> all(Class<?> sealed) {
    return Stream.<Class<?>>of(sealed.getPermittedSubclasses())
        .flatMap(type -> type.isInterface() ? all(type).stream() : Stream.of(type))
        .toList();
  }

  private static List<Class<?>> wire(Class<?> sealed) {
    return Stream.of(sealed.getPermittedSubclasses())
        .filter(Wire.class::isAssignableFrom)
        .flatMap(type -> type.isInterface() ? wire(type).stream() : Stream.of(type))
        .toList();
  }
}
