package dev.viesti.persistence.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

final class EmbeddedPostgresTest {
  private final Path directory = TestPostgres.freshDirectory();
  private final Path data = directory.resolve("data");
  private final EmbeddedPostgresSettings settings = TestPostgres.settings();

  @Test
  void keepsDataAndPasswordAcrossRestarts() throws Exception {
    String password;
    try (var first = EmbeddedPostgres.start(data, settings)) {
      password = first.password();
      database(first).execute("create table kept (n int); insert into kept values (7)");
    }
    long started = System.nanoTime();
    try (var second = EmbeddedPostgres.start(data, settings)) {
      assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(10));
      assertThat(second.password()).isEqualTo(password);
      assertThat(second.adopted()).isFalse();
      assertThat(database(second).queryText("select n from kept")).isEqualTo("7");
    }
    assertThat(data.resolve("cluster/postmaster.pid")).doesNotExist();
  }

  @Test
  void isDurable() throws Exception {
    TestDatabase database = database(TestPostgres.server());
    assertThat(database.queryText("show fsync")).isEqualTo("on");
    assertThat(database.queryText("show synchronous_commit")).isEqualTo("on");
    assertThat(database.queryText("show full_page_writes")).isEqualTo("on");
  }

  @Test
  void listensOnLoopbackOnlyAndSpeaksUtf8() throws Exception {
    TestDatabase database = database(TestPostgres.server());
    assertThat(database.queryText("show listen_addresses")).isEqualTo("127.0.0.1");
    assertThat(database.queryText("show unix_socket_directories")).isEmpty();
    assertThat(database.queryText("show server_encoding")).isEqualTo("UTF8");
    assertThat(database.queryText("select upper('ä')")).isEqualTo("Ä");
  }

  @Test
  void requiresThePassword() {
    EmbeddedPostgres server = TestPostgres.server();
    assertThatThrownBy(() -> DriverManager.getConnection(server.jdbcUrl(), server.user(), "wrong"))
        .isInstanceOfSatisfying(
            SQLException.class, refused -> assertThat(refused.getSQLState()).isEqualTo("28P01"));
  }

  @Test
  void keepsThePasswordFromOthers() throws Exception {
    try (var server = EmbeddedPostgres.start(data, settings)) {
      assertThat(data.resolve("password")).content().contains(server.password());
      assertThat(
              PosixFilePermissions.toString(
                  Files.getPosixFilePermissions(data.resolve("password"))))
          .isEqualTo("rw-------");
      assertThat(data.resolve("initdb-password")).doesNotExist();
    }
  }

  @Test
  void refusesASecondStartOnALiveDirectory() throws Exception {
    try (var first = EmbeddedPostgres.start(data, settings)) {
      assertThatThrownBy(() -> EmbeddedPostgres.start(data, settings))
          .isInstanceOf(EmbeddedPostgresException.class)
          .hasMessageContaining("in use by this JVM");
      assertThat(database(first).queryText("select 1")).isEqualTo("1");
    }
    EmbeddedPostgres.start(data, settings).close();
  }

  @Test
  void comesBackOnTheSamePortAfterAHardStop() throws Exception {
    try (var server = EmbeddedPostgres.start(data, settings)) {
      int port = server.port();
      database(server).execute("create table kept (n int); insert into kept values (7)");
      server.stopHard();
      assertThatThrownBy(() -> database(server).connect()).isInstanceOf(SQLException.class);
      server.startAgain();
      assertThat(server.port()).isEqualTo(port);
      assertThat(database(server).queryText("select n from kept")).isEqualTo("7");
    }
  }

  @Test
  void restartsAServerThatDiesByItself() throws Exception {
    try (var server = EmbeddedPostgres.start(data, settings)) {
      long pid = server.pid();
      ProcessHandle.of(pid).orElseThrow().destroyForcibly();
      awaitAnotherPid(server, pid);
      assertThat(database(server).queryText("select 1")).isEqualTo("1");
    }
  }

  @Test
  void refusesATakenPort() throws Exception {
    try (var taken = new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
      assertThatThrownBy(
              () -> EmbeddedPostgres.start(data, settings.withPort(taken.getLocalPort())))
          .isInstanceOf(EmbeddedPostgresException.class)
          .hasMessageContaining("is taken by another program");
    }
  }

  @Test
  void showsTheServersOwnWordsWhenItCannotStart() throws Exception {
    EmbeddedPostgres.start(data, settings).close();
    Files.writeString(data.resolve("cluster/postgresql.conf"), "no_such_setting = 1\n");
    assertThatThrownBy(() -> EmbeddedPostgres.start(data, settings))
        .isInstanceOf(EmbeddedPostgresException.class)
        .hasMessageContaining("no_such_setting");
  }

  @Test
  void recoversFromThePidFileOfADeadServer() throws Exception {
    EmbeddedPostgres.start(data, settings).close();
    // This JVM's own pid: alive, but no PostgreSQL. PostgreSQL alone would refuse to start.
    Files.writeString(
        data.resolve("cluster/postmaster.pid"), ProcessHandle.current().pid() + "\n/x\n1\n5432\n");
    EmbeddedPostgres.start(data, settings).close();
  }

  @Test
  void knowsThePlatformsThatBinariesArePublishedFor() {
    assertThat(Installation.archiveName("Linux", "amd64")).isEqualTo("postgres-linux-x86_64.txz");
    assertThat(Installation.archiveName("Linux", "aarch64")).isEqualTo("postgres-linux-arm_64.txz");
    assertThat(Installation.archiveName("Mac OS X", "aarch64"))
        .isEqualTo("postgres-darwin-arm_64.txz");
    assertThat(Installation.archiveName("Windows 11", "amd64")).isNull();
    assertThat(Installation.archiveName("Linux", "riscv64")).isNull();
  }

  @Test
  void servesBelowADirectoryThatOnlyItsOwnerMayEnter() throws Exception {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    try (var server = EmbeddedPostgres.start(data, settings)) {
      assertThat(database(server).queryText("select 1")).isEqualTo("1");
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void givesTheServerNoCapabilityThatItDoesNotNeed() throws Exception {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    try (var server = EmbeddedPostgres.start(data, settings)) {
      assertThat(Files.readAllLines(Path.of("/proc/" + server.pid() + "/status")))
          .contains("CapEff:\t0000000000000000");
    }
  }

  private static void awaitAnotherPid(EmbeddedPostgres server, long pid) {
    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (server.pid() == pid) {
      assertThat(System.nanoTime()).as("restarted in time").isLessThan(deadline);
      LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }
  }

  private static TestDatabase database(EmbeddedPostgres server) {
    return new TestDatabase(server.jdbcUrl(), server.user(), server.password());
  }
}
