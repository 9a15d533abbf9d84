package dev.viesti.ops.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.viesti.ops.api.ApiSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ServerSettingsTest {
  private static final Path DIR = Path.of("data");

  @Test
  void refusesAShortKeyWhereOthersCanReachIt() {
    ServerSettings dev = ServerSettings.dev(DIR, 8080, 7626, "dev");
    ServerSettings.Http open = new ServerSettings.Http("0.0.0.0", 8080, "127.0.0.1", 7626);
    assertThatThrownBy(
            () -> new ServerSettings(open, dev.storage(), dev.peers(), "dev", false, "n"))
        .hasMessageContaining("loopback only");
    assertThat(dev.toString()).doesNotContain("key");
  }

  @Test
  void refusesPortsAndSeedsOutOfBounds() {
    assertThatThrownBy(() -> ServerSettings.dev(DIR, 70_000, 0, "dev"))
        .hasMessage("port is 0 to 65,535, not 70000");
    assertThatThrownBy(() -> ServerSettings.dev(DIR, 8080, 8080, "dev"))
        .hasMessageContaining("both 8080");
    assertThatThrownBy(() -> new ServerSettings.Peers("a", 1, List.of("pekko://x@y:1")))
        .hasMessageContaining("host:port");
  }

  @Test
  void readsDatabaseUrlsOfBothKinds() {
    DatabaseAddress url = DatabaseAddress.of("postgres://me:p%40ss@db:5433/v?ssl=true", null, null);
    assertThat(url)
        .isEqualTo(new DatabaseAddress("jdbc:postgresql://db:5433/v?ssl=true", "me", "p@ss"));
    assertThat(url.toString()).isEqualTo("jdbc:postgresql://db:5433/v");
    DatabaseAddress jdbc = DatabaseAddress.of("jdbc:postgresql://db/v?user=me", null, "secret");
    assertThat(jdbc.user()).isEqualTo("me");
    assertThat(jdbc.password()).isEqualTo("secret");
    assertThatThrownBy(() -> DatabaseAddress.of("mysql://x:secret@y/z", null, null))
        .hasMessageNotContaining("secret");
    assertThatThrownBy(() -> DatabaseAddress.of("jdbc:postgresql://db/v", null, null))
        .hasMessageContaining("user is missing");
  }

  @Test
  void tellsPekkoWhereItsPeersAre() {
    ServerSettings dev = ServerSettings.dev(DIR, 0, 0, "dev");
    ServerSettings settings =
        new ServerSettings(
            dev.http(),
            dev.storage(),
            new ServerSettings.Peers("10.0.0.2", 17_355, List.of("10.0.0.1:17355")),
            "dev",
            false,
            "n2");
    Config config = NodeConfig.of(settings, Duration.ofSeconds(5));
    assertThat(config.getStringList("pekko.cluster.seed-nodes"))
        .containsExactly("pekko://viesti@10.0.0.1:17355");
    assertThat(config.getString("pekko.remote.artery.canonical.hostname")).isEqualTo("10.0.0.2");
    assertThat(config.getBoolean("viesti.webhook.allow-private-targets")).isFalse();
  }

  @Test
  void defaultsOfTheLimitsAreWithinTheirBounds() {
    ApiSettings limits = ApiSettings.from(ConfigFactory.load().getConfig("viesti.http"));
    assertThat(limits.eventBytesMax()).isEqualTo(256 * 1024);
    assertThat(limits.batchBytesMax()).isEqualTo(4 * 1024 * 1024);
    assertThat(limits.batchEventsMax()).isEqualTo(1_000);
  }
}
