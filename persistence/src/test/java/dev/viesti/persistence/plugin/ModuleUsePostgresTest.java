package dev.viesti.persistence.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.persistence.outbox.OutboxFixture;
import dev.viesti.persistence.plugin.ModuleUseRepository.Use;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.plugin.PluginId;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

final class ModuleUsePostgresTest {
  private static final OutboxFixture FIXTURE = new OutboxFixture();
  private static final ArtifactRepository ARTIFACTS = new ArtifactRepository(FIXTURE.database);
  private static final ModuleUseRepository USES = new ModuleUseRepository(FIXTURE.database);
  private static final PluginId ORDERS = new PluginId("orders");
  private static final Duration AGE = Duration.ofHours(1);

  private final AppId app = new AppId("a-" + UUID.randomUUID());

  @AfterAll
  static void close() {
    FIXTURE.close();
  }

  /** A module that nobody has uploaded of late. */
  private static String oldModule() throws SQLException {
    String sha256 = ARTIFACTS.put(UUID.randomUUID().toString().getBytes(StandardCharsets.US_ASCII));
    makeOld(sha256);
    return sha256;
  }

  private static void makeOld(String sha256) throws SQLException {
    FIXTURE.execute(
        "update viesti.plugin_artifact set created_at = now() - interval '2 hours'"
            + " where sha256 = '%s'".formatted(sha256));
  }

  private static boolean isThereAfterASweep(String sha256) throws SQLException {
    ARTIFACTS.sweep(AGE, 1_000);
    return ARTIFACTS.get(sha256) != null;
  }

  private static Use use(String sha256) {
    return new Use(ORDERS, sha256);
  }

  @Test
  void sweepsWhatNobodyUsesAndWasNotJustUploaded() throws Exception {
    String unused = oldModule();
    String again = oldModule();
    FIXTURE.execute(
        "update viesti.plugin_artifact set created_at = now() where sha256 = '%s'"
            .formatted(again));
    assertThat(isThereAfterASweep(again)).isTrue();
    assertThat(ARTIFACTS.get(unused)).isNull();
  }

  @Test
  void sweepsNoMoreThanItIsTold() throws Exception {
    ARTIFACTS.sweep(AGE, 1_000);
    oldModule();
    oldModule();
    assertThat(ARTIFACTS.sweep(AGE, 1)).isEqualTo(1);
    assertThat(ARTIFACTS.sweep(AGE, 10)).isEqualTo(1);
  }

  @Test
  void keepsWhatAnAppUsesUntilItDoesNot() throws Exception {
    String module = oldModule();
    var other = new AppId("b-" + UUID.randomUUID());
    assertThat(USES.add(app, use(module), 2)).isTrue();
    assertThat(USES.add(other, use(module), 7)).isTrue();
    makeOld(module);
    USES.keep(app, List.of(), 3);
    assertThat(isThereAfterASweep(module)).isTrue();
    USES.keep(other, List.of(use(module)), 8);
    assertThat(isThereAfterASweep(module)).isTrue();
    USES.keep(other, List.of(), 9);
    assertThat(isThereAfterASweep(module)).isFalse();
  }

  @Test
  void givesTimeToWhoHasJustTakenItIntoUse() throws Exception {
    String module = oldModule();
    assertThat(USES.add(app, use(module), 2)).isTrue();
    USES.keep(app, List.of(), 3);
    assertThat(isThereAfterASweep(module)).isTrue();
  }

  @Test
  void isNotUsedOnceItIsGone() throws Exception {
    String module = oldModule();
    assertThat(isThereAfterASweep(module)).isFalse();
    assertThat(USES.add(app, use(module), 2)).isFalse();
    USES.keep(app, List.of(use(module)), 2);
    assertThat(uses()).isZero();
  }

  @Test
  void addsWhatIsMissing() throws Exception {
    String module = oldModule();
    USES.keep(app, List.of(use(module)), 2);
    USES.keep(app, List.of(use(module)), 2);
    assertThat(uses()).isEqualTo(1);
    assertThat(isThereAfterASweep(module)).isTrue();
  }

  @Test
  void removesNothingOfEventsThatItDoesNotKnow() throws Exception {
    String module = oldModule();
    USES.add(app, use(module), 5);
    USES.keep(app, List.of(), 4); // a former owner, late
    assertThat(uses()).isEqualTo(1);
    USES.add(app, use(module), 3);
    USES.keep(app, List.of(), 4);
    assertThat(uses()).as("the later of two counts").isEqualTo(1);
    USES.keep(app, List.of(), 5);
    assertThat(uses()).isZero();
  }

  @Test
  void neverSweepsWhatIsFromBeforeUsesWereWrittenDown() throws Exception {
    byte[] bytes = "from before".getBytes(StandardCharsets.UTF_8);
    String module = ARTIFACTS.put(bytes);
    FIXTURE.execute(
        "update viesti.plugin_artifact set uses_known = false where sha256 = '%s'"
            .formatted(module));
    ARTIFACTS.put(bytes); // somebody has it, too; that says nothing of others
    makeOld(module);
    assertThat(isThereAfterASweep(module)).isTrue();
  }

  @Test
  void isRefusedByTheDatabaseWhileThereIsAUse() throws Exception {
    String module = oldModule();
    USES.add(app, use(module), 2);
    assertThatThrownBy(
            () ->
                FIXTURE.execute(
                    "delete from viesti.plugin_artifact where sha256 = '%s'".formatted(module)))
        .isInstanceOf(SQLException.class);
  }

  // ---- at the same time

  /** Both wait for the row, one behind the other. */
  @Test
  void isNotSweptByWhoHasWaitedForTheUse() throws Exception {
    ARTIFACTS.sweep(AGE, 1_000);
    String module = oldModule();
    CompletableFuture<Integer> swept;
    CompletableFuture<Boolean> added;
    try (var held = FIXTURE.transaction()) {
      lock(held, module);
      added = async(() -> USES.add(app, use(module), 2));
      FIXTURE.awaitWaiting(1);
      swept = async(() -> ARTIFACTS.sweep(AGE, 1_000));
      FIXTURE.awaitWaiting(2);
      OutboxFixture.end(held, true);
    }
    assertThat(added.join()).isTrue();
    assertThat(swept.join()).isZero();
    assertThat(ARTIFACTS.get(module)).isNotNull();
  }

  @Test
  void isNotUsedByWhoHasWaitedForTheSweep() throws Exception {
    ARTIFACTS.sweep(AGE, 1_000);
    String module = oldModule();
    CompletableFuture<Integer> swept;
    CompletableFuture<Boolean> added;
    try (var held = FIXTURE.transaction()) {
      lock(held, module);
      swept = async(() -> ARTIFACTS.sweep(AGE, 1_000));
      FIXTURE.awaitWaiting(1);
      added = async(() -> USES.add(app, use(module), 2));
      FIXTURE.awaitWaiting(2);
      OutboxFixture.end(held, true);
    }
    assertThat(swept.join()).isEqualTo(1);
    assertThat(added.join()).isFalse();
    assertThat(uses()).isZero();
  }

  private static void lock(Connection held, String module) throws SQLException {
    try (var statement =
        held.prepareStatement("select from plugin_artifact where sha256 = ? for update")) {
      statement.setString(1, module);
      statement.execute();
    }
  }

  private interface Work<T> {
    T run() throws SQLException;
  }

  private static <T> CompletableFuture<T> async(Work<T> work) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return work.run();
          } catch (SQLException failed) {
            throw new CompletionException(failed);
          }
        },
        command -> Thread.startVirtualThread(command));
  }

  private long uses() throws SQLException {
    return FIXTURE.count("module_use where app_id = '%s'".formatted(app));
  }
}
