package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.until;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.viesti.dispatcher.PluginUpload.ManifestText;
import dev.viesti.dispatcher.plugin.CallEnd;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.PluginId;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Modules stay as long as some app may run them, and no longer. */
@Timeout(300)
class ModuleSweepPostgresTest {
  private static final PluginId ORDERS = new PluginId("orders");
  private static final String ME = "me";
  private static final FakePlugins PLUGINS = new FakePlugins();

  private static TestDatabase database;
  private static TestNode node;

  private final AppId app = new AppId("a-" + UUID.randomUUID());

  @BeforeAll
  static void starts() throws Exception {
    database = TestNode.database();
    node = TestNode.startWithPlugins(database, PLUGINS, Clock.systemUTC());
  }

  @AfterAll
  static void stops() {
    node.close();
  }

  private void createsTheApp() {
    PLUGINS.start = asked -> FakePlugins.WELL;
    get(node.viesti.putApp(app, AppSettings.DEFAULT, null, ME));
  }

  /** The module is the version's text. */
  private CompletionStage<PluginView> put(TestNode where, String version) {
    String manifest =
        "{\"id\": \"orders\", \"name\": \"Orders\", \"version\": \"%s\"}".formatted(version);
    var upload =
        new PluginUpload(
            Payload.ofJson(version), ManifestText.guess(Payload.ofJson(manifest)), null);
    return where.viesti.putPlugin(app, ORDERS, upload, null, ME);
  }

  private static String query(TestDatabase of, String sql) {
    try {
      return of.queryText(sql);
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }

  private static void untilUsed(TestDatabase of, AppId app, String... versions) {
    String modules =
        "select coalesce(string_agg(left(encode(bytes, 'escape'), 9), ' ' order by bytes), '')"
            + " from viesti.module_use join viesti.plugin_artifact using (sha256)"
            + " where app_id = '%s'".formatted(app);
    String expected = String.join(" ", versions);
    until("it uses " + expected, () -> query(of, modules).equals(expected));
  }

  private long uploads() {
    return Long.parseLong(
        query(
            database,
            "select count(*) from viesti.event_journal where persistence_id = 'app|%s'"
                    .formatted(app)
                + " and event_ser_manifest like '%PluginUploaded'"));
  }

  @Test
  void usesWhatRunsAndWhatCouldRunAgain() {
    createsTheApp();
    get(put(node, "1.0"));
    untilUsed(database, app, "1.0");
    get(put(node, "2.0"));
    untilUsed(database, app, "1.0", "2.0");
    get(put(node, "3.0"));
    untilUsed(database, app, "2.0", "3.0");
    get(node.viesti.rollbackPlugin(app, ORDERS, ME));
    get(node.viesti.disablePlugin(app, ORDERS, ME));
    untilUsed(database, app, "2.0", "3.0");
    PLUGINS.start = asked -> new CallEnd.Failed("error", "no");
    assertThat(refusal(put(node, "4.0"))).isInstanceOf(Refusal.CallFailed.class);
    untilUsed(database, app, "2.0", "3.0");
    get(node.viesti.deletePlugin(app, ORDERS, false, ME));
    untilUsed(database, app);
  }

  @Test
  void usesNothingOnceItIsDeleted() {
    createsTheApp();
    get(put(node, "1.0"));
    get(node.viesti.deleteApp(app, true, ME));
    untilUsed(database, app);
  }

  /** As another transaction that is slow to commit would have it. */
  @Test
  void usesAModuleBeforeTheJournalHasIt() throws Exception {
    createsTheApp();
    database.execute(
        "create function viesti.hold() returns trigger language plpgsql as $$ begin"
            + " perform pg_advisory_xact_lock_shared(7); return new; end $$");
    try (Connection holding = database.dataSource().getConnection();
        Statement lock = holding.createStatement()) {
      lock.execute("select pg_advisory_lock(7)");
      database.execute(
          "create trigger hold before insert on viesti.module_use for each row"
              + " execute function viesti.hold()");
      var installed = put(node, "1.0").toCompletableFuture();
      until(
          "its use is on its way",
          () ->
              query(
                      database,
                      "select count(*) from pg_locks where locktype = 'advisory' and not granted")
                  .equals("1"));
      assertThat(get(node.viesti.listPlugins(app))).isEmpty();
      assertThat(refusal(node.viesti.deleteApp(app, true, ME)))
          .isInstanceOf(Refusal.Unavailable.class);
      assertThat(uploads()).isZero();
      lock.execute("select pg_advisory_unlock(7)");
      get(installed);
      assertThat(uploads()).isEqualTo(1);
    } finally {
      database.execute("drop function viesti.hold cascade");
    }
  }

  @Test
  void refusesWhatWasSweptBeforeItCouldBeUsed() throws Exception {
    createsTheApp();
    database.execute(
        "create function viesti.miss() returns trigger language plpgsql as"
            + " $$ begin return null; end $$");
    database.execute(
        "create trigger miss before update on viesti.plugin_artifact for each row"
            + " execute function viesti.miss()");
    try {
      Refusal refusal = refusal(put(node, "swept"));
      assertThat(refusal).isInstanceOf(Refusal.Conflict.class);
      assertThat(refusal.detail()).contains("upload it again");
      assertThat(get(node.viesti.listPlugins(app))).isEmpty();
      assertThat(uploads()).isZero();
    } finally {
      database.execute("drop function viesti.miss cascade");
    }
    get(put(node, "swept"));
    untilUsed(database, app, "swept");
  }

  /** One that was installed before there were uses, and what a crash has left. */
  @Test
  void putsItsUsesInOrderWhenItStarts() throws Exception {
    TestDatabase own = TestNode.database();
    try (TestNode before = TestNode.startWithPlugins(own, new FakePlugins(), Clock.systemUTC())) {
      get(before.viesti.putApp(app, AppSettings.DEFAULT, null, ME));
      get(put(before, "1.0"));
      get(put(before, "2.0"));
      get(put(before, "3.0"));
      untilUsed(own, app, "2.0", "3.0");
    }
    own.execute(
        "update viesti.module_use set sha256 = (select sha256 from viesti.plugin_artifact"
            + " where bytes = '1.0') where sha256 = (select sha256 from viesti.plugin_artifact"
            + " where bytes = '3.0')");
    untilUsed(own, app, "1.0", "2.0");
    try (TestNode after = TestNode.startWithPlugins(own, new FakePlugins(), Clock.systemUTC())) {
      get(after.viesti.getApp(app));
      untilUsed(own, app, "2.0", "3.0");
    }
  }

  private static Refusal refusal(CompletionStage<?> stage) {
    return requireNonNull(catchThrowableOfType(RefusedException.class, () -> get(stage))).refusal();
  }

  // ---- swept

  @Test
  void keepsTheModuleOfAnotherAppAndSweepsItAfterTheLast() throws Exception {
    TestDatabase own = TestNode.database();
    var other = new AppId("b-" + UUID.randomUUID());
    String sweeps = "viesti.node.sweep-interval = 1 s";
    try (TestNode first = TestNode.start(own, Map.of(), sweeps)) {
      for (AppId each : List.of(app, other)) {
        get(first.viesti.putApp(each, AppSettings.DEFAULT, null, ME));
        get(
            first.viesti.putPlugin(
                each, ORDERS, TestGuest.upload(ORDERS, "guest-1", "*"), null, ME));
      }
      get(first.viesti.deletePlugin(app, ORDERS, true, ME));
      untilUsed(own, app);
      oneSweepHasPassed(own);
      assertThat(query(own, "select count(*) from viesti.plugin_artifact")).isEqualTo("1");
    }
    try (TestNode again = TestNode.start(own, Map.of(), sweeps)) {
      get(again.viesti.publish(other, List.of(event("count", null, "1"))));
      until(
          "it runs",
          () -> query(own, "select count(*) from viesti.kv where key = 'total'").equals("1"));
      get(again.viesti.deletePlugin(other, ORDERS, true, ME));
      untilUsed(own, other);
      makeOld(own);
      until(
          "it is swept",
          () -> query(own, "select count(*) from viesti.plugin_artifact").equals("0"));
    }
  }

  /** All modules are old, and one that nobody uses is gone. */
  private static void oneSweepHasPassed(TestDatabase of) throws SQLException {
    of.execute(
        "insert into viesti.plugin_artifact (created_at, size, sha256, bytes)"
            + " values (now(), 0, 'unused', '')");
    makeOld(of);
    until(
        "it has swept",
        () ->
            query(of, "select count(*) from viesti.plugin_artifact where sha256 = 'unused'")
                .equals("0"));
  }

  private static void makeOld(TestDatabase of) throws SQLException {
    of.execute("update viesti.plugin_artifact set created_at = now() - interval '2 days'");
  }
}
