package dev.viesti.dispatcher.script;

import static dev.viesti.dispatcher.script.Scripts.ENGINE;
import static dev.viesti.dispatcher.script.Scripts.outcome;
import static dev.viesti.dispatcher.script.Scripts.returned;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.dispatcher.script.ScriptResult.Threw;
import java.util.List;
import org.junit.jupiter.api.Test;

class ScriptEngineTest {
  private final Scripts scripts = Scripts.answering("null");

  @Test
  void givesBackWhatTheFunctionReturns() {
    assertThat(outcome("return { total: 7, of: [1, 'ä€😀'] }"))
        .isEqualTo(returned("{\"total\":7,\"of\":[1,\"ä€😀\"]}"));
    assertThat(outcome("")).isEqualTo(returned("null"));
  }

  @Test
  void handsOverJsonAndBytesAndNothing() {
    ScriptResult result =
        scripts.run(
            "function main(a, b, c, d) { return [a.n, b.length, b[1], typeof c, d] }",
            new ScriptArgument.Json("{\"n\":5}"),
            new ScriptArgument.Bytes(new byte[] {1, (byte) 200, 0}),
            new ScriptArgument.Nothing(),
            new ScriptArgument.Json("\"text\""));
    assertThat(result.outcome()).isEqualTo(returned("[5,3,200,\"undefined\",\"text\"]"));
  }

  @Test
  void findsFunctionsThatAreConstants() {
    assertThat(scripts.run("const main = () => 1").outcome()).isEqualTo(returned("1"));
  }

  @Test
  void waitsForPromisesUntilNothingIsLeftToRun() {
    assertThat(outcome("return (async () => { await null; await 1; return 'late' })()"))
        .isEqualTo(returned("\"late\""));
    assertThat(outcome("return Promise.reject(new RangeError('far'))"))
        .isEqualTo(new Threw("RangeError: far", 1, 55));
    assertThat(outcome("return new Promise(() => {})"))
        .isEqualTo(new Threw("the promise that it returned can never settle", 0, 0));
  }

  @Test
  void tellsWhatWasThrownAndWhere() {
    assertThat(scripts.run("\nfunction main() {\n  throw new Error('no stock');\n}").outcome())
        .isEqualTo(new Threw("no stock", 3, 18));
    assertThat(outcome("null.x"))
        .isInstanceOfSatisfying(
            Threw.class, threw -> assertThat(threw.message()).startsWith("TypeError: "));
    assertThat(outcome("throw { code: 3 }")).isEqualTo(new Threw("{\"code\":3}", 0, 0));
    assertThat(outcome("throw 'text'")).isEqualTo(new Threw("text", 0, 0));
    assertThat(outcome("throw { toJSON() { throw 1 } }"))
        .isEqualTo(new Threw("an error that cannot be shown", 0, 0));
  }

  @Test
  void failsWhenTheSourceThrowsBeforeAnyFunctionIsCalled() {
    assertThat(scripts.run("throw new Error('early')").outcome())
        .isEqualTo(new Threw("early", 1, 16));
  }

  @Test
  void failsWhenThereIsNoSuchFunctionOrNoSuchJson() {
    assertThat(scripts.run("function other() {}").outcome())
        .isEqualTo(new Threw("TypeError: the script defines no function main", 0, 0));
    assertThat(scripts.run("function main() {}", new ScriptArgument.Json("{")).outcome())
        .isInstanceOfSatisfying(
            Threw.class, threw -> assertThat(threw.message()).startsWith("SyntaxError: "));
    assertThat(outcome("return 1n")).isInstanceOf(Threw.class);
  }

  @Test
  void refusesNamesThatAreExpressions() {
    assertThatThrownBy(() -> ENGINE.run("", "a()", List.of(), ScriptEngine.LIMITS_DEFAULT, scripts))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a()");
  }

  @Test
  void saysWhereASourceCannotBeParsed() {
    assertThatThrownBy(() -> ENGINE.check("let a;\n let x = ;"))
        .isInstanceOf(InvalidScriptException.class)
        .hasMessage("2:10: SyntaxError: unexpected token in expression: ';'");
    assertThatThrownBy(() -> ENGINE.check("export function main() {}"))
        .isInstanceOf(InvalidScriptException.class)
        .hasMessageStartingWith("1:");
  }

  @Test
  void runsNothingOfASourceThatItChecks() {
    assertThatCode(() -> ENGINE.check("throw new Error('never'); for (;;);"))
        .doesNotThrowAnyException();
  }

  @Test
  void takesSourcesOf256KibibytesAndNoMore() throws InvalidScriptException {
    String comment = "//" + "ä".repeat(ScriptEngine.SOURCE_BYTES_MAX / 2 - 1);
    ENGINE.check(comment);
    assertThatThrownBy(() -> ENGINE.check(comment + "x"))
        .isInstanceOf(InvalidScriptException.class)
        .hasMessageContaining("262,144");
    assertThatThrownBy(() -> scripts.run(comment + "x"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void leavesNothingBehindForTheNextCall() {
    String source =
        """
        function main() {
          const before = [typeof left, typeof Array.prototype.left, typeof JSON.parse];
          globalThis.left = 1;
          Array.prototype.left = 1;
          delete JSON.parse;
          return before;
        }
        """;
    for (int i = 0; i < 3; i++) {
      assertThat(scripts.run(source).outcome())
          .isEqualTo(returned("[\"undefined\",\"undefined\",\"function\"]"));
    }
  }

  @Test
  void usesTheSameFuelForTheSameCall() {
    String source = "function main() { return [Math.random(), new Date(), viesti.kv.get('k')] }";
    ScriptResult first = scripts.run(source);
    assertThat(first.fuelUsed()).isBetween(50_000L, 1_000_000L);
    for (int i = 0; i < 3; i++) {
      assertThat(scripts.run(source)).isEqualTo(first);
    }
  }

  @Test
  void hasTheClockOfTheCallAndTheRandomnessOfTheDelivery() {
    assertThat(
            outcome(
                "return [Date.now(), new Date().toISOString(), new Date().getTimezoneOffset()]"))
        .isEqualTo(returned("[" + Scripts.NOW + ",\"2026-01-31T12:00:00.000Z\",0]"));
    String source = "function main() { return Math.random() }";
    ScriptResult one = scripts.run(source);
    ScriptResult other = new Scripts("d-2", (function, arguments) -> "null").run(source);
    assertThat(other.outcome()).isNotEqualTo(one.outcome());
    assertThat(
            outcome(
                "const r = [Math.random(), Math.random()]; return r[0] !== r[1] && r.every(x => x >= 0 && x < 1)"))
        .isEqualTo(returned("true"));
  }
}
