package dev.viesti.ops.authoring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is said of entities, with a plugin that inserts the data of each event as an order. */
@Timeout(60)
class ExpectedEntitiesTest {
  private static final String FIRST = "{\"number\":\"A-1\",\"total\":7.50,\"customer\":null}";
  private static final String SECOND = "{\"number\":\"A-2\",\"customer\":\"Ada\"}";

  @TempDir private Path folder;
  private Path module;

  @BeforeEach
  void writeModule() throws Exception {
    module = Files.write(folder.resolve("orders.wasm"), EntityModule.withManifest());
  }

  private Rehearsal.Result run(String lastExpects, String end) throws Exception {
    Path lines =
        Files.writeString(
            folder.resolve("lines.jsonl"),
            line(FIRST, "{}") + "\n" + line(SECOND, lastExpects) + "\n");
    Path expect = Files.writeString(folder.resolve("expect.json"), end);
    return Rehearsal.run(
        PluginFile.read(module),
        new Rehearsal.Script(List.of(lines), null, expect, false),
        Clock.systemUTC());
  }

  private static String line(String data, String expect) {
    return "{\"event\":{\"specversion\":\"1.0\",\"source\":\"t\",\"type\":\"order.placed\",\"data\":"
        + data
        + "},\"expect\":"
        + expect
        + "}";
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{}",
        "{\"invoice\":[]}",
        "{\"order\":[{},{}]}",
        "{\"order\":[{\"number\":\"A-1\"},{\"number\":\"A-2\"}]}",
        "{\"order\":[{\"version\":1,\"total\":7.5,\"customer\":null},{\"total\":null}]}",
        "{\"order\":[{},{\"version\":1,\"customer\":\"Ada\"}],\"invoice\":[]}",
      })
  void areAsExpected(String entities) throws Exception {
    String expect = "{\"entities\":" + entities + "}";
    Rehearsal.Result result = run(expect, expect);
    assertThat(result.steps()).allSatisfy(step -> assertThat(step.faults()).isEmpty());
    assertThat(result.faults()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"order\":[{},{\"number\":\"A-3\"}]}  | entity order[1].number should be \"A-3\", but is \"A-2\"",
        "{\"order\":[{\"total\":8},{}]}         | entity order[0].total should be 8, but is 7.50",
        "{\"order\":[{},{\"total\":8}]}         | entity order[1].total should be 8, but is absent",
        "{\"order\":[{},{\"customer\":null}]}   | entity order[1].customer should be null, but is \"Ada\"",
        "{\"order\":[{},{\"version\":2}]}       | entity order[1].version should be 2, but is 1",
        "{\"invoice\":[{}]}                     | entities invoice should be 1, but are 0: []",
        "{\"ordr\":[]}                          | entities ordr: the manifest has no such entity; it has [order, invoice]",
      })
  void saysWhatIsNotAsExpected(String entities, String fault) throws Exception {
    String expect = "{\"entities\":" + entities + "}";
    Rehearsal.Result result = run(expect, expect);
    assertThat(result.passed()).isFalse();
    assertThat(result.steps().getLast().faults()).containsExactly(fault);
    assertThat(result.faults()).containsExactly(fault);
  }

  @Test
  void showsThoseThatAreTooMany() throws Exception {
    assertThat(run("{\"entities\":{\"order\":[{}]}}", "{}").steps().getLast().faults())
        .singleElement()
        .asString()
        .startsWith("entities order should be 1, but are 2: [{")
        .contains("A-1", "A-2");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {"[]", "{\"order\":{}}", "{\"order\":[1]}", "5"})
  void refusesWhatCannotBeCompared(String entities) {
    assertThatThrownBy(() -> run("{\"entities\":" + entities + "}", "{}"))
        .isInstanceOf(AuthoringException.class)
        .hasMessageContaining("lines.jsonl:2: 'entities' of 'expect' must be");
  }
}
