package dev.viesti.persistence.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.persistence.outbox.OutboxFixture;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

final class ArtifactPostgresTest {
  private static final OutboxFixture FIXTURE = new OutboxFixture();
  private static final ArtifactRepository ARTIFACTS = new ArtifactRepository(FIXTURE.database);

  @AfterAll
  static void close() {
    FIXTURE.close();
  }

  @Test
  void keepsAModuleOnceByItsHash() throws Exception {
    byte[] module = "abc".getBytes(StandardCharsets.UTF_8);
    // the test vector of FIPS 180-4
    String hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assertThat(ARTIFACTS.put(module)).isEqualTo(hash);
    assertThat(ARTIFACTS.put(module)).isEqualTo(hash);
    assertThat(ARTIFACTS.get(hash)).isEqualTo(module);
    assertThat(FIXTURE.count("plugin_artifact where sha256 = '" + hash + "' and size = 3"))
        .isEqualTo(1);
    assertThat(ARTIFACTS.get("' or true --")).isNull();
  }

  @Test
  void neverHandsOutBytesThatAreNotThoseOfTheHash() throws Exception {
    String hash = ARTIFACTS.put(new byte[] {1});
    FIXTURE.execute(
        "update viesti.plugin_artifact set bytes = '\\x02' where sha256 = '" + hash + "'");
    assertThatThrownBy(() -> ARTIFACTS.get(hash)).isInstanceOf(IllegalStateException.class);
  }
}
