package dev.viesti.persistence.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.app.AppDirectory.Line;
import dev.viesti.persistence.outbox.OutboxFixture;
import dev.viesti.protocol.app.AppId;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class AppDirectoryPostgresTest {
  private final OutboxFixture fixture = new OutboxFixture();
  private final AppDirectory directory = new AppDirectory(fixture.database);

  @AfterEach
  void close() {
    fixture.close();
  }

  @Test
  void listsByIdPageByPage() throws Exception {
    for (String name : List.of("b", "a-1", "a", "0", "-", "ab")) {
      directory.put(line(name, "x"));
    }
    assertThat(names(directory.list(null, 4))).containsExactly("-", "0", "a", "a-1");
    assertThat(names(directory.list(new AppId("a-1"), 4))).containsExactly("ab", "b");
    assertThat(directory.list(new AppId("b"), 4)).isEmpty();
  }

  @Test
  void keepsTheLastLineOfAnApp() throws Exception {
    directory.put(line("shop", "ä'\\"));
    var changed =
        new Line(
            new AppId("shop"),
            null,
            true,
            OutboxFixture.NOW.plusSeconds(1),
            OutboxFixture.NOW.plusSeconds(2));
    assertThat(directory.list(null, 9)).containsExactly(line("shop", "ä'\\"));
    directory.put(changed);
    assertThat(directory.list(null, 9)).containsExactly(changed);
  }

  @Test
  void forgetsARemovedApp() throws Exception {
    directory.put(line("shop", "x"));
    directory.put(line("bank", "x"));
    directory.remove(new AppId("shop"));
    directory.remove(new AppId("never-there"));
    assertThat(names(directory.list(null, 9))).containsExactly("bank");
  }

  private static Line line(String app, String name) {
    return new Line(new AppId(app), name, false, OutboxFixture.NOW, OutboxFixture.NOW);
  }

  private static List<String> names(List<Line> lines) {
    return lines.stream().map(line -> line.app().value()).toList();
  }
}
