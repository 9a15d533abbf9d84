package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.until;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.viesti.dispatcher.PluginUpload.ManifestText;
import dev.viesti.dispatcher.PluginView.Status;
import dev.viesti.dispatcher.plugin.CallEnd;
import dev.viesti.dispatcher.plugin.Plugins.News;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The control plane of plugins, from the door to the journal; what runs them is made up. */
class PluginsPostgresTest {
  private static final PluginId ORDERS = new PluginId("orders");
  private static final TriggerId OWN = new TriggerId("plugin-orders");
  private static final String ME = "me";
  private static final FakePlugins PLUGINS = new FakePlugins();
  private static final Time TIME = new Time();

  private static TestDatabase database;
  private static TestNode node;

  private final AppId app = new AppId("a-" + UUID.randomUUID());

  /** A clock that can be put forward. */
  private static final class Time extends Clock {
    private final AtomicReference<Duration> ahead = new AtomicReference<>(Duration.ZERO);

    void advance(Duration step) {
      ahead.updateAndGet(step::plus);
    }

    @Override
    public Instant instant() {
      return Clock.systemUTC().instant().plus(ahead.get());
    }

    @Override
    public ZoneOffset getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(java.time.ZoneId zone) {
      return this;
    }
  }

  @BeforeAll
  static void starts() throws Exception {
    database = TestNode.database();
    node = TestNode.startWithPlugins(database, PLUGINS, TIME);
  }

  @AfterAll
  static void stops() {
    node.close();
  }

  private void createsTheApp() {
    PLUGINS.start = asked -> FakePlugins.WELL;
    PLUGINS.invoke = asked -> new CallEnd.Returned(Payload.ofJson("\"" + asked.function() + "\""));
    PLUGINS.invalid = null;
    get(node.viesti.putApp(app, AppSettings.DEFAULT, null, ME));
  }

  private static PluginUpload upload(String version) {
    return upload(version, null);
  }

  private static PluginUpload upload(String version, @Nullable String config) {
    return new PluginUpload(Payload.ofJson(version), manifest(version), config);
  }

  private static ManifestText manifest(String version) {
    return ManifestText.guess(
        Payload.ofJson(
            """
            {"id": "orders", "name": "Orders", "version": "%s",
             "subscribe": [{"type": "order.*"}, {"type": "order.paid"}, {"type": "invoice.paid"}],
             "config": {"type": "object", "properties": {"prefix": {"type": "string"}}}}"""
                .formatted(version)));
  }

  private PluginView put(String version) {
    return get(node.viesti.putPlugin(app, ORDERS, upload(version), null, ME));
  }

  private PluginView plugin() {
    return get(node.viesti.getPlugin(app, ORDERS));
  }

  private static Refusal refusal(CompletionStage<?> stage) {
    return requireNonNull(catchThrowableOfType(RefusedException.class, () -> get(stage))).refusal();
  }

  private List<String> journal() throws SQLException {
    List<String> kinds = new ArrayList<>();
    try (var connection = database.dataSource().getConnection();
        var statement =
            connection.prepareStatement(
                """
                select event_ser_manifest, convert_from(event_payload, 'UTF8')
                from viesti.event_journal where persistence_id = ? order by sequence_number
                """)) {
      statement.setString(1, "app|" + app);
      try (var rows = statement.executeQuery()) {
        while (rows.next()) {
          String kind = rows.getString(1);
          String json = rows.getString(2);
          assertThat(json).contains("\"at\":\"20").contains("\"by\":\"");
          kinds.add(
              kind.substring(kind.indexOf('$') + 1)
                  + " "
                  + json.replaceAll(".*\"by\":\"([^\"]*)\".*", "$1"));
        }
      }
    }
    return kinds;
  }

  // ---- installing

  @Test
  void runsWhatWasUploaded() throws Exception {
    createsTheApp();
    PluginView view = put("1.0");
    assertThat(view.status()).isEqualTo(Status.RUNNING);
    assertThat(view.revision()).isEqualTo(1);
    assertThat(view.shown().by()).isEqualTo(ME);
    assertThat(view.shown().release().size()).isEqualTo(3);
    assertThat(PLUGINS.version(app)).isEqualTo("1.0");
    FakePlugins.Start start = PLUGINS.starts.getLast();
    assertThat(start.first()).isTrue();
    assertThat(start.epoch()).isPositive();
    assertThat(start.plugin().sha256()).isEqualTo(view.shown().release().sha256());
    assertThat(get(node.viesti.listPlugins(app))).containsExactly(view.summary());
    assertThat(journal())
        .containsExactly("AppCreated me", "PluginUploaded me", "PluginInitialized me");
  }

  @Test
  void changesNothingWhenTheSameIsUploadedAgain() throws Exception {
    createsTheApp();
    PluginView first = put("1.0");
    assertThat(put("1.0")).isEqualTo(first);
    assertThat(journal()).hasSize(3);
    var other = get(node.viesti.putPlugin(app, ORDERS, upload("1.0", "{}"), null, ME));
    assertThat(other.revision()).isEqualTo(2);
  }

  @Test
  void keepsTheVersionBeforeWhenInitFails() throws Exception {
    createsTheApp();
    put("1.0");
    PLUGINS.start = asked -> new CallEnd.Failed("error", "no such table");
    Refusal refusal = refusal(node.viesti.putPlugin(app, ORDERS, upload("2.0"), null, "you"));
    assertThat(refusal).isInstanceOf(Refusal.CallFailed.class);
    assertThat(refusal.detail()).contains("no such table").contains("the version before stays");
    assertThat(PLUGINS.starts.getLast().first()).isFalse();
    assertThat(PLUGINS.version(app)).isEqualTo("1.0");
    assertThat(plugin().status()).isEqualTo(Status.RUNNING);
    assertThat(plugin().problem()).isEqualTo("no such table");
    assertThat(journal()).endsWith("PluginUploaded you", "PluginInitFailed you");
  }

  @Test
  void hasFailedWhenTheFirstInitFails() {
    createsTheApp();
    PLUGINS.start = asked -> new CallEnd.Failed("trap", "unreachable");
    assertThat(refusal(node.viesti.putPlugin(app, ORDERS, upload("1.0"), null, ME)).detail())
        .contains("trap: unreachable")
        .contains("not running");
    assertThat(plugin().status()).isEqualTo(Status.FAILED);
    assertThat(PLUGINS.installed.get(app)).isNull();
    assertThat(get(node.viesti.pluginHealth(app, ORDERS)).problem()).isEqualTo("trap: unreachable");
    PLUGINS.start = asked -> FakePlugins.WELL;
    assertThat(put("1.0").status()).isEqualTo(Status.RUNNING);
    assertThat(PLUGINS.starts.getLast().first()).isTrue();
  }

  @Test
  void initializesOneVersionAtATime() throws Exception {
    createsTheApp();
    put("1.0");
    var go = new CountDownLatch(1);
    PLUGINS.start =
        asked -> {
          go.await();
          return FakePlugins.WELL;
        };
    var second = node.viesti.putPlugin(app, ORDERS, upload("2.0"), null, ME);
    until("it is being initialized", () -> plugin().initializing());
    assertThat(PLUGINS.version(app)).isEqualTo("1.0");
    assertThat(plugin().status()).isEqualTo(Status.RUNNING);
    assertThat(refusal(node.viesti.putPlugin(app, ORDERS, upload("3.0"), null, ME)))
        .isInstanceOf(Refusal.Conflict.class);
    assertThat(refusal(node.viesti.deletePlugin(app, ORDERS, false, ME)))
        .isInstanceOf(Refusal.Conflict.class);
    assertThat(refusal(node.viesti.deleteApp(app, true, ME)))
        .isInstanceOf(Refusal.Unavailable.class);
    go.countDown();
    assertThat(get(second).shown().release().manifest().version()).isEqualTo("2.0");
    assertThat(PLUGINS.version(app)).isEqualTo("2.0");
  }

  @Test
  void isInitializedByTheNextOwnerWhenItsOwnHasLostTheApp() {
    createsTheApp();
    get(node.viesti.putTrigger(app, new TriggerId("t"), log(), null, ME));
    var first = new AtomicReference<@Nullable Long>();
    PLUGINS.start =
        asked -> {
          if (first.compareAndSet(null, asked.epoch())) {
            takesTheOutboxAway();
            return new CallEnd.Fenced();
          }
          return FakePlugins.WELL;
        };
    assertThat(refusal(node.viesti.putPlugin(app, ORDERS, upload("1.0"), null, ME)))
        .isInstanceOf(Refusal.Unavailable.class);
    until("it runs", this::runsAtLast);
    assertThat(PLUGINS.starts.getLast().epoch()).isGreaterThan(requireNonNull(first.get()));
  }

  /** Whoever asks an app that is just stopping is not answered. */
  private boolean runsAtLast() {
    try {
      return plugin().status() == Status.RUNNING;
    } catch (RefusedException moving) {
      return false;
    }
  }

  /** As another node would; the owner hears of it when it writes, and gives up. */
  private void takesTheOutboxAway() {
    try (var connection = database.dataSource().getConnection();
        var statement =
            connection.prepareStatement(
                "update viesti.outbox_owner set epoch = epoch + 1 where app_id = ?")) {
      statement.setString(1, app.value());
      assertThat(statement.executeUpdate()).isEqualTo(1);
    } catch (SQLException broken) {
      throw new AssertionError(broken);
    }
    var unused = node.viesti.publish(app, List.of(event("e", null, "{}")));
  }

  private static Trigger log() {
    return Trigger.of(null, null, new Target.Log(), null, null, null, null, null);
  }

  // ---- restarts

  @Test
  void isThereAgainAfterARestartAndInitializesWhatWasNotYet() throws Exception {
    TestDatabase own = TestNode.database();
    var before = new FakePlugins();
    var begun = new CountDownLatch(1);
    try (TestNode crashed = TestNode.startWithPlugins(own, before, Clock.systemUTC())) {
      get(crashed.viesti.putApp(app, AppSettings.DEFAULT, null, ME));
      get(crashed.viesti.putPlugin(app, ORDERS, upload("1.0"), null, ME));
      before.start =
          asked -> {
            begun.countDown();
            new Semaphore(0).acquire(); // as if the node had gone away in the middle
            return FakePlugins.WELL;
          };
      var unused = crashed.viesti.putPlugin(app, ORDERS, upload("2.0"), null, ME);
      begun.await();
    }
    assertThat(before.forgotten).contains(app);
    var after = new FakePlugins();
    var go = new CountDownLatch(1);
    after.start =
        asked -> {
          go.await();
          return FakePlugins.WELL;
        };
    try (TestNode again = TestNode.startWithPlugins(own, after, Clock.systemUTC())) {
      assertThat(get(again.viesti.getPlugin(app, ORDERS)).initializing()).isTrue();
      until("the version before runs", () -> after.version(app).equals("1.0"));
      go.countDown();
      until("the candidate has taken over", () -> after.version(app).equals("2.0"));
      assertThat(get(again.viesti.getPlugin(app, ORDERS)).status()).isEqualTo(Status.RUNNING);
    }
  }

  // ---- afterwards

  @Test
  void isDisabledAndEnabled() throws Exception {
    createsTheApp();
    put("1.0");
    assertThat(get(node.viesti.disablePlugin(app, ORDERS, ME)).status()).isEqualTo(Status.DISABLED);
    assertThat(requireNonNull(PLUGINS.only(app)).enabled()).isFalse();
    assertThat(get(node.viesti.publish(app, List.of(event("order.new", null, "{}")))))
        .singleElement()
        .extracting(Receipt::deliveries)
        .isEqualTo(0);
    assertThat(get(node.viesti.enablePlugin(app, ORDERS, "you")).status())
        .isEqualTo(Status.RUNNING);
    assertThat(requireNonNull(PLUGINS.only(app)).enabled()).isTrue();
    assertThat(journal()).endsWith("PluginDisabled me", "PluginEnabled you");
  }

  @Test
  void isRolledBackByHand() throws Exception {
    createsTheApp();
    put("1.0");
    assertThat(refusal(node.viesti.rollbackPlugin(app, ORDERS, ME)))
        .isInstanceOf(Refusal.Conflict.class);
    put("2.0");
    int starts = PLUGINS.starts.size();
    PluginView back = get(node.viesti.rollbackPlugin(app, ORDERS, ME));
    assertThat(back.shown().release().manifest().version()).isEqualTo("1.0");
    assertThat(requireNonNull(back.previous()).release().manifest().version()).isEqualTo("2.0");
    assertThat(PLUGINS.version(app)).isEqualTo("1.0");
    assertThat(PLUGINS.starts).hasSize(starts);
    assertThat(journal()).endsWith("PluginRolledBack me");
  }

  @Test
  void isConfiguredByItsSchema() throws Exception {
    createsTheApp();
    put("1.0");
    PluginView view = get(node.viesti.configurePlugin(app, ORDERS, "{\"prefix\":\"X\"}", 1L, ME));
    assertThat(view.revision()).isEqualTo(2);
    assertThat(requireNonNull(PLUGINS.only(app)).config()).isEqualTo("{\"prefix\":\"X\"}");
    var wrong =
        (Refusal.Malformed)
            refusal(node.viesti.configurePlugin(app, ORDERS, "{\"prefix\":1}", null, ME));
    assertThat(wrong.faults()).extracting(Refusal.Fault::pointer).containsExactly("/prefix");
    assertThat(refusal(node.viesti.configurePlugin(app, ORDERS, "{}", 1L, ME)))
        .isEqualTo(new Refusal.PreconditionFailed(2));
    assertThat(journal()).endsWith("PluginConfigured me");
  }

  @Test
  void isLeftAloneWhenItTrapsAndComesBack() throws Exception {
    createsTheApp();
    put("1.0");
    PLUGINS.tell(app, new News.Trapping(ORDERS, 5, "unreachable"));
    until("it is in quarantine", () -> plugin().status() == Status.QUARANTINED);
    Instant until = requireNonNull(plugin().quarantinedUntil());
    assertThat(Duration.between(TIME.instant(), until))
        .isBetween(Duration.ofSeconds(30), Duration.ofMinutes(1));
    assertThat(plugin().problem()).contains("5 calls").contains("unreachable");
    assertThat(requireNonNull(PLUGINS.only(app)).quarantinedUntil()).isEqualTo(until);
    // what comes meanwhile is accepted; the runtime postpones it
    assertThat(get(node.viesti.publish(app, List.of(event("order.new", null, "{}")))))
        .singleElement()
        .extracting(Receipt::deliveries)
        .isEqualTo(1);
    TIME.advance(Duration.ofMinutes(2));
    PLUGINS.tell(app, new News.Trapping(ORDERS, 1, "unreachable"));
    until("it is in a longer one", () -> plugin().quarantines() == 2);
    assertThat(Duration.between(TIME.instant(), requireNonNull(plugin().quarantinedUntil())))
        .isBetween(Duration.ofSeconds(90), Duration.ofMinutes(2));
    PLUGINS.tell(app, new News.Recovered(ORDERS));
    until("it runs", () -> plugin().status() == Status.RUNNING);
    assertThat(plugin().problem()).isNull();
    assertThat(journal())
        .endsWith("PluginQuarantined viesti", "PluginQuarantined viesti", "PluginRecovered viesti");
  }

  @Test
  void isUninstalledUnlessTriggersRunIt() throws Exception {
    createsTheApp();
    put("1.0");
    var trigger = new TriggerId("other");
    get(node.viesti.putTrigger(app, trigger, runs("orders"), null, ME));
    assertThat(refusal(node.viesti.deletePlugin(app, ORDERS, false, ME)).detail())
        .contains("other");
    get(node.viesti.deleteTrigger(app, trigger, ME));
    get(node.viesti.deletePlugin(app, ORDERS, false, ME));
    assertThat(refusal(node.viesti.getPlugin(app, ORDERS))).isInstanceOf(Refusal.NotFound.class);
    assertThat(PLUGINS.only(app)).isNull();
    assertThat(refusal(node.viesti.deletePlugin(app, ORDERS, false, ME)))
        .isInstanceOf(Refusal.NotFound.class);
    assertThat(journal()).endsWith("PluginRemoved me");
  }

  @Test
  void forgetsWhatItKeptOnlyWhenAsked() throws Exception {
    createsTheApp();
    put("1.0");
    numbers();
    get(node.viesti.deletePlugin(app, ORDERS, false, ME));
    assertThat(numbersKept()).isEqualTo(1);
    get(node.viesti.deletePlugin(app, ORDERS, true, ME));
    assertThat(numbersKept()).isZero();
  }

  @Test
  void isForgottenWithItsApp() throws Exception {
    createsTheApp();
    put("1.0");
    numbers();
    get(node.viesti.putValue(app, "c", "k", Payload.ofJson("1"), null));
    get(node.viesti.deleteApp(app, true, ME));
    assertThat(numbersKept()).isZero();
    assertThat(PLUGINS.only(app)).isNull();
    createsTheApp();
    assertThat(get(node.viesti.listPlugins(app))).isEmpty();
    assertThat(get(node.viesti.listValues(app, "c", "", null, 10))).isEmpty();
  }

  private void numbers() throws SQLException {
    try (var connection = database.dataSource().getConnection();
        var statement =
            connection.prepareStatement(
                "insert into viesti.numbering values (7, 0, ?, 'orders', 'invoice', '')")) {
      statement.setString(1, app.value());
      statement.executeUpdate();
    }
  }

  private int numbersKept() throws SQLException {
    try (var connection = database.dataSource().getConnection();
        var statement =
            connection.prepareStatement("select count(*) from viesti.numbering where app_id = ?")) {
      statement.setString(1, app.value());
      try (var row = statement.executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    }
  }

  // ---- triggers

  private static Trigger runs(String plugin) {
    return Trigger.of(
        null, null, new Target.Plugin(plugin, "number"), null, null, null, null, null);
  }

  @ParameterizedTest
  @CsvSource({"order.new, 1", "order.paid, 1", "invoice.paid, 1", "invoice.new, 0"})
  void getsEachEventOfWhichAnyPatternSpeaksOnce(String type, int deliveries) {
    createsTheApp();
    put("1.0");
    int before = PLUGINS.runs.size();
    assertThat(get(node.viesti.publish(app, List.of(event(type, null, "{}")))))
        .singleElement()
        .extracting(Receipt::deliveries)
        .isEqualTo(deliveries);
    if (deliveries == 1) {
      until("it runs", () -> PLUGINS.runs.stream().anyMatch(run -> run.app().equals(app)));
      assertThat(PLUGINS.runs.subList(before, PLUGINS.runs.size()))
          .allSatisfy(run -> assertThat(run.trigger()).isEqualTo(OWN));
    }
  }

  @Test
  void bringsATriggerAlongThatIsNobodyElses() {
    createsTheApp();
    put("1.0");
    assertThat(get(node.viesti.listTriggers(app))).isEmpty();
    assertThat(refusal(node.viesti.putTrigger(app, OWN, log(), null, ME)))
        .isInstanceOfSatisfying(
            Refusal.Invalid.class, wrong -> assertThat(wrong.pointer()).isEqualTo("/trigger"));
    assertThat(refusal(node.viesti.getTrigger(app, OWN))).isInstanceOf(Refusal.NotFound.class);
  }

  @Test
  void takesTriggersOnlyForPluginsThatThereAre() {
    createsTheApp();
    assertThat(refusal(node.viesti.putTrigger(app, new TriggerId("t"), runs("orders"), null, ME)))
        .isInstanceOfSatisfying(
            Refusal.Invalid.class,
            wrong -> assertThat(wrong.pointer()).isEqualTo("/target/plugin/name"));
  }

  // ---- uploads that are refused

  @Test
  void saysAllThatIsWrongWithAManifest() {
    createsTheApp();
    var upload =
        new PluginUpload(
            Payload.ofJson("x"),
            ManifestText.guess(
                Payload.ofJson(
                    "{\"id\": \"orders\", \"version\": \"!\", \"permissions\": [\"kv:eat\"]}")),
            null);
    var wrong = (Refusal.Malformed) refusal(node.viesti.putPlugin(app, ORDERS, upload, null, ME));
    assertThat(wrong.faults())
        .extracting(Refusal.Fault::pointer)
        .contains("/manifest/name", "/manifest/version", "/manifest/permissions/0");
  }

  @Test
  void wantsTheManifestOfThatPlugin() {
    createsTheApp();
    assertThat(refusal(node.viesti.putPlugin(app, new PluginId("other"), upload("1.0"), null, ME)))
        .isInstanceOfSatisfying(
            Refusal.Invalid.class, wrong -> assertThat(wrong.pointer()).isEqualTo("/manifest/id"));
  }

  @Test
  void wantsAModuleThatCanRun() {
    createsTheApp();
    PLUGINS.invalid = "imports env.system";
    assertThat(refusal(node.viesti.putPlugin(app, ORDERS, upload("1.0"), null, ME)))
        .isEqualTo(new Refusal.Invalid("/module", "imports env.system"));
    assertThat(refusal(node.viesti.getPlugin(app, ORDERS))).isInstanceOf(Refusal.NotFound.class);
  }

  @Test
  void wantsAConfigurationThatFits() {
    createsTheApp();
    var wrong =
        (Refusal.Malformed)
            refusal(node.viesti.putPlugin(app, ORDERS, upload("1.0", "{\"prefix\": 1}"), null, ME));
    assertThat(wrong.faults()).extracting(Refusal.Fault::pointer).containsExactly("/config/prefix");
  }

  @Test
  void readsTheManifestFromTheModule() {
    createsTheApp();
    var module = new ByteArrayOutputStream();
    module.writeBytes(new byte[] {0, 'a', 's', 'm', 1, 0, 0, 0});
    byte[] name = PluginUpload.SECTION.getBytes(StandardCharsets.UTF_8);
    byte[] toml =
        "id = \"orders\"\nname = \"Orders\"\nversion = \"9\"".getBytes(StandardCharsets.UTF_8);
    module.write(0);
    module.write(1 + name.length + toml.length);
    module.write(name.length);
    module.writeBytes(name);
    module.writeBytes(toml);
    var upload = new PluginUpload(Payload.of(module.toByteArray()), null, null);
    var view = get(node.viesti.putPlugin(app, ORDERS, upload, null, ME));
    assertThat(view.shown().release().manifest().version()).isEqualTo("9");
    var none = new PluginUpload(Payload.of(new byte[] {0, 'a', 's', 'm', 1, 0, 0, 0}), null, null);
    assertThat(refusal(node.viesti.putPlugin(app, ORDERS, none, null, ME)).detail())
        .contains(PluginUpload.SECTION);
  }

  // ---- calls

  @Test
  void answersWhatAFunctionReturns() {
    createsTheApp();
    put("1.0");
    var trigger = new TriggerId("t");
    get(node.viesti.putTrigger(app, trigger, runs("orders"), null, ME));
    Payload reply = get(node.viesti.invoke(app, trigger, Payload.ofJson("{}"), "you"));
    assertThat(reply.utf8()).isEqualTo("\"number\"");
    var asked = PLUGINS.invocations.getLast();
    assertThat(asked.principal()).isEqualTo("you");
    assertThat(asked.timeout()).isEqualTo(Trigger.TIMEOUT_DEFAULT);
    assertThat(asked.epoch()).isPositive();
    assertThat(get(node.viesti.invoke(app, OWN, Payload.NONE, ME)).utf8())
        .isEqualTo("\"handle-event\"");
    PLUGINS.invoke = failing -> new CallEnd.Failed("error", "no stock");
    assertThat(refusal(node.viesti.invoke(app, trigger, Payload.NONE, ME)))
        .isInstanceOfSatisfying(
            Refusal.CallFailed.class,
            failed -> {
              assertThat(failed.kind()).isEqualTo("error");
              assertThat(failed.message()).isEqualTo("no stock");
            });
  }

  @Test
  void callsOnlyWhatCanBeCalled() {
    createsTheApp();
    put("1.0");
    var plain = new TriggerId("plain");
    get(node.viesti.putTrigger(app, plain, log(), null, ME));
    assertThat(refusal(node.viesti.invoke(app, plain, Payload.NONE, ME)))
        .isInstanceOf(Refusal.Conflict.class);
    assertThat(refusal(node.viesti.invoke(app, new TriggerId("x"), Payload.NONE, ME)))
        .isInstanceOf(Refusal.NotFound.class);
    assertThat(refusal(node.viesti.invoke(app, OWN, Payload.of(new byte[(256 << 10) + 1]), ME)))
        .isInstanceOf(Refusal.Invalid.class);
    get(node.viesti.disablePlugin(app, ORDERS, ME));
    assertThat(refusal(node.viesti.invoke(app, OWN, Payload.NONE, ME)))
        .isInstanceOf(Refusal.Conflict.class);
  }

  @Test
  void takesOnlySoManyCallsAtOnce() throws Exception {
    createsTheApp();
    put("1.0");
    var go = new CountDownLatch(1);
    var begun = new Semaphore(0);
    PLUGINS.invoke =
        asked -> {
          begun.release();
          go.await();
          return FakePlugins.WELL;
        };
    List<CompletionStage<Payload>> open = new ArrayList<>();
    for (int n = 0; n < 32; n++) {
      open.add(node.viesti.invoke(app, OWN, Payload.NONE, ME));
    }
    begun.acquire(32);
    assertThat(refusal(node.viesti.invoke(app, OWN, Payload.NONE, ME)))
        .isInstanceOf(Refusal.Unavailable.class);
    go.countDown();
    open.forEach(TestNode::get);
    assertThat(get(node.viesti.invoke(app, OWN, Payload.NONE, ME))).isEqualTo(Payload.NONE);
  }

  @Test
  void saysHowItIs() {
    createsTheApp();
    put("1.0");
    PLUGINS.sick = null;
    assertThat(get(node.viesti.pluginHealth(app, ORDERS)).healthy()).isTrue();
    PLUGINS.sick = "out of memory";
    assertThat(get(node.viesti.pluginHealth(app, ORDERS)).problem()).isEqualTo("out of memory");
    assertThat(get(node.viesti.pluginMetrics(app, ORDERS)).errors()).containsEntry("fuel", 1L);
  }

  // ---- values

  @Test
  void keepsValuesByVersion() {
    createsTheApp();
    long first = get(node.viesti.putValue(app, "c", "k", Payload.ofJson("1"), 0L));
    assertThat(get(node.viesti.getValue(app, "c", "k")).version()).isEqualTo(first);
    assertThat(refusal(node.viesti.putValue(app, "c", "k", Payload.ofJson("2"), 0L)))
        .isEqualTo(new Refusal.PreconditionFailed(first));
    long second = get(node.viesti.putValue(app, "c", "k", Payload.ofJson("2"), first));
    assertThat(refusal(node.viesti.deleteValue(app, "c", "k", first)))
        .isEqualTo(new Refusal.PreconditionFailed(second));
    assertThat(get(node.viesti.listValues(app, "c", "", null, 10)))
        .singleElement()
        .satisfies(key -> assertThat(key.version()).isEqualTo(second));
    get(node.viesti.deleteValue(app, "c", "k", null));
    assertThat(refusal(node.viesti.getValue(app, "c", "k"))).isInstanceOf(Refusal.NotFound.class);
    assertThat(refusal(node.viesti.deleteValue(app, "c", "k", null)))
        .isInstanceOf(Refusal.NotFound.class);
    assertThat(refusal(node.viesti.putValue(app, "c", "k".repeat(257), Payload.NONE, null)))
        .isInstanceOfSatisfying(
            Refusal.Invalid.class, wrong -> assertThat(wrong.pointer()).isEqualTo("/key"));
    assertThat(refusal(node.viesti.getValue(new AppId("nowhere"), "c", "k")))
        .isInstanceOf(Refusal.NotFound.class);
  }
}
