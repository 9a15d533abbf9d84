package dev.viesti.ops.authoring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.protocol.event.Payload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Recorded events and what is said of them, with the plugin of the template. */
@Timeout(60)
class RehearsalTest {
  private static final String HEAD = "{\"specversion\":\"1.0\",\"source\":\"t\",\"type\":";
  private static final String GREETING =
      HEAD + "\"greeting.requested\",\"data\":{\"name\":\"Ada\"}}";

  @TempDir private Path folder;

  @BeforeEach
  void makeProject() throws Exception {
    Built.template(Language.C, folder);
  }

  private Rehearsal.Result run(String lines) throws Exception {
    return run(lines, false, null, null);
  }

  private Rehearsal.Result run(
      String lines, boolean github, @Nullable String config, @Nullable String expect)
      throws Exception {
    var script =
        new Rehearsal.Script(
            List.of(file("lines.jsonl", lines)),
            config == null ? null : file("config.json", config),
            expect == null ? null : file("expect.json", expect),
            github);
    return Rehearsal.run(
        PluginFile.read(folder), script, Clock.fixed(Instant.EPOCH, ZoneOffset.UTC));
  }

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private static String expecting(String expect) {
    return "{\"event\":" + GREETING + ",\"expect\":" + expect + "}";
  }

  @Test
  void takesPlainEventsAndExpectsThemToSucceed() throws Exception {
    Rehearsal.Result result =
        run(GREETING + "\n\n" + HEAD + "\"greeting.requested\",\"data\":{}}\n");
    assertThat(result.passed()).isFalse();
    assertThat(result.steps()).hasSize(3);
    assertThat(result.steps().get(1).faults()).isEmpty();
    assertThat(result.steps().get(2).where()).endsWith("lines.jsonl:3");
    assertThat(result.steps().get(2).faults())
        .containsExactly("outcome should be succeeded, but is permanent");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"outcome\":\"permanent\"}            | outcome should be permanent, but is succeeded",
        "{\"kind\":\"trap\"}                    | kind should be trap, but is null",
        "{\"error\":\"no\"}                     | error should contain \"no\", but is: null",
        "{\"published\":[]}                     | published should be [], but is [greeting.sent]",
        "{\"kv\":{\"greetings/Ada\":2}}         | kv greetings/Ada should be 2, but is 1",
        "{\"kv\":{\"greetings/Ada\":null}}      | kv greetings/Ada should be null, but is 1",
        "{\"kv\":{\"greetings/Bob\":1}}         | kv greetings/Bob should be 1, but is absent",
        "{\"reply\":1}                          | reply should be 1, but is ",
      })
  void saysWhatIsNotAsExpected(String expect, String fault) throws Exception {
    Rehearsal.Result result = run(expecting(expect));
    assertThat(result.passed()).isFalse();
    assertThat(result.steps().getLast().faults().getFirst().strip())
        .isEqualTo(String.valueOf(fault).strip());
  }

  @Test
  void runsNothingForEventsThatAreNotSubscribedTo() throws Exception {
    Rehearsal.Result result = run(HEAD + "\"greeting.refused\",\"data\":{\"name\":\"Ada\"}}");
    assertThat(result.steps().getLast().run().outcome()).isEqualTo("unmatched");
    assertThat(result.kv()).isEmpty();
    assertThat(result.passed()).isTrue();
  }

  @Test
  void comparesWhatThereIsInTheEnd() throws Exception {
    String both = GREETING + "\n" + GREETING;
    String twice =
        "{\"kv\":{\"greetings/Ada\":2},\"published\":[\"greeting.sent\",\"greeting.sent\"]}";
    assertThat(run(both, false, null, twice).passed()).isTrue();
    assertThat(run(GREETING, false, null, twice).faults()).hasSize(2);
  }

  @Test
  void readsWhatGithubDelivers() throws Exception {
    String line =
        "{\"event\":\"issues\",\"payload\":{\"action\":\"opened\",\"repository\":{\"full_name\":\"a/b\"}}}";
    Rehearsal.Result result = run(line, true, null, null);
    assertThat(result.steps().getLast().name()).isEqualTo("github.issues.opened");
    assertThatThrownBy(() -> run(line)).hasMessageContaining("--github");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"specversion\":                           | not JSON",
        "[]                                          | not a JSON object",
        "{\"specversion\":\"1.0\",\"type\":\"a\"}    | no CloudEvent",
        "{\"invoke\":\"count\",\"expect\":{\"outcom\":\"x\"}} | 'expect' has no member 'outcom'",
        "{\"invoke\":\"count\",\"expect\":[]}        | 'expect' must be an object",
        "{\"invoke\":\"count\",\"time\":\"noon\"}    | 'time' is no time of RFC 3339",
      })
  void namesTheLineThatIsWrong(String line, String why) {
    assertThatThrownBy(() -> run(GREETING + "\n" + line))
        .isInstanceOf(AuthoringException.class)
        .hasMessageContaining("lines.jsonl:2: ")
        .hasMessageContaining(why);
  }

  @Test
  void refusesAConfigurationThatDoesNotFit() throws Exception {
    Project project = Project.open(folder);
    String manifest =
        project.manifest().text().utf8() + "\n[config]\ntype = \"object\"\nrequired = [\"from\"]\n";
    ManifestFile withSchema = ManifestFile.parse(Payload.ofJson(manifest), "here");
    Path scratch = Files.createDirectory(folder.resolve("scratch"));
    Files.write(
        project.module(),
        PluginFile.of(Built.bare(Language.C, scratch), withSchema).module().bytes());
    assertThatThrownBy(() -> run(GREETING, false, "{}", null))
        .isInstanceOf(AuthoringException.class)
        .hasMessageContaining("does not fit")
        .hasMessageContaining("from");
    assertThat(run(GREETING, false, "{\"from\":\"me\"}", null).passed()).isTrue();
  }

  @Test
  void saysEverythingThatIsWrongWithAManifest() {
    Payload manifest = Payload.ofJson("id = \"X\"\nname = 5\nversion = \"1\"\ncolour = 1\n");
    assertThatThrownBy(() -> ManifestFile.parse(manifest, "plugin.toml"))
        .hasMessageContaining("plugin.toml is no valid manifest:\n")
        .hasMessageContaining("/id: ")
        .hasMessageContaining("/name: ")
        .hasMessageContaining("/colour: ");
  }
}
