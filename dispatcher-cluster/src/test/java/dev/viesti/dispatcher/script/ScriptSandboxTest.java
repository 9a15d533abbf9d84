package dev.viesti.dispatcher.script;

import static dev.viesti.dispatcher.script.Scripts.outcome;
import static dev.viesti.dispatcher.script.Scripts.returned;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.dispatcher.script.ScriptResult.Outcome;
import dev.viesti.dispatcher.script.ScriptResult.Returned;
import dev.viesti.dispatcher.script.ScriptResult.Threw;
import dev.viesti.dispatcher.script.ScriptResult.Trapped;
import dev.viesti.dispatcher.wasm.WasmTrapException.Kind;
import dev.viesti.protocol.plugin.PluginLimits;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScriptSandboxTest {
  private static final PluginLimits SMALL =
      new PluginLimits(20_000_000, PluginLimits.TIMEOUT_DEFAULT, 128);

  @AfterEach
  void anotherScriptStillRuns() {
    assertThat(outcome("return 'well'")).isEqualTo(returned("\"well\""));
  }

  private static ScriptResult run(String body) {
    return Scripts.answering("null").run(SMALL, "function main() { " + body + " }");
  }

  private static void assertTrapped(ScriptResult result, Kind kind) {
    assertThat(result.outcome())
        .isInstanceOfSatisfying(
            Trapped.class, trapped -> assertThat(trapped.kind()).isEqualTo(kind));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "for (;;);",
        "for (;;) { try { throw 1 } catch { continue } }",
        "while (true) { try { return } finally { continue } }",
        "const again = () => Promise.resolve().then(again); return again()",
        "/^(a+)+$/.test('a'.repeat(40) + 'b')",
        "for (;;) viesti.log.info('again')",
        "'x'.repeat(1 << 20).replace(/x/g, y => y + y).split('').sort()",
        "function* forever() { for (;;) yield 1 } for (const x of forever());",
        "new Array(1e9).fill().map(x => x)",
        "10n ** 100000000n"
      })
  void endsWithinItsLimits(String body) {
    ScriptResult result = run(body);
    assertThat(result.outcome())
        .satisfiesAnyOf(
            ended -> assertThat(ended).isInstanceOf(Threw.class),
            ended -> assertTrapped(result, Kind.FUEL),
            ended -> assertTrapped(result, Kind.MEMORY));
    assertThat(result.fuelUsed()).isLessThanOrEqualTo(SMALL.fuel());
  }

  @Test
  void runsOutOfFuelInAnEndlessLoop() {
    ScriptResult result = run("for (;;);");
    assertTrapped(result, Kind.FUEL);
    assertThat(result.fuelUsed()).isEqualTo(SMALL.fuel());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "return new ArrayBuffer(2 ** 31 - 1)",
        "try { new Uint8Array(64 << 20) } catch { return 'caught' }",
        "const all = []; for (;;) all.push(new Uint8Array(100000))"
      })
  void getsNoMoreMemoryThanItMayHave(String body) {
    ScriptResult result = run(body);
    assertTrapped(result, Kind.MEMORY);
    assertThat(result.peakPages()).isLessThanOrEqualTo(SMALL.memoryPages());
  }

  @Test
  void doesNotStartInLessMemoryThanItsStackTakes() {
    PluginLimits tiny = new PluginLimits(1_000_000, PluginLimits.TIMEOUT_DEFAULT, 16);
    assertTrapped(Scripts.answering("null").run(tiny, "function main() {}"), Kind.MEMORY);
  }

  /** On a stack of 1 MiB, whatever runs the tests. */
  private static Outcome onASmallStack(String body) throws InterruptedException {
    Outcome[] outcome = new Outcome[1];
    Thread thread = new Thread(null, () -> outcome[0] = Scripts.outcome(body), "script", 1L << 20);
    thread.start();
    thread.join();
    return outcome[0];
  }

  @Test
  void seesItsOwnDeepRecursionAsAnError() throws InterruptedException {
    assertThat(onASmallStack("const f = () => f(); try { f() } catch (e) { return String(e) }"))
        .isEqualTo(returned("\"InternalError: stack overflow\""));
    assertThat(onASmallStack("let n = 0; const f = () => ++n < 300 ? f() : n; return f()"))
        .isEqualTo(returned("300"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "JSON.parse('['.repeat(100000))",
        "JSON.parse('{\"a\":'.repeat(100000))",
        "eval('('.repeat(100000))",
        "eval('['.repeat(100000))",
        "eval('!'.repeat(100000) + '1')",
        "new RegExp('(?:'.repeat(100000))",
        "let x = []; for (let i = 0; i < 20000; i++) x = [x]; return x",
        "let x = []; for (let i = 0; i < 20000; i++) x = [x]; String(x)",
        "let p = {}; for (let i = 0; i < 5000; i++) p = new Proxy(p, {}); return p.x",
        "let f = () => 1; for (let i = 0; i < 3000; i++) f = f.bind(null); return f()",
        "const f = { toJSON: () => JSON.stringify(f) }; return f"
      })
  void survivesNestingWithoutEnd(String body) throws InterruptedException {
    Outcome outcome = onASmallStack(body);
    if (outcome instanceof Trapped trapped) {
      assertThat(trapped.kind()).isIn(Kind.STACK, Kind.FUEL, Kind.MEMORY);
    } else {
      assertThat(outcome).isInstanceOf(Threw.class);
    }
  }

  @Test
  void endsWhenItsThreadIsInterrupted() {
    Thread.currentThread().interrupt();
    ScriptResult result = run("for (;;);");
    assertThat(Thread.interrupted()).isTrue();
    assertTrapped(result, Kind.INTERRUPTED);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "require",
        "process",
        "fetch",
        "XMLHttpRequest",
        "setTimeout",
        "std",
        "os",
        "load",
        "print",
        "importScripts",
        "WebAssembly",
        "Worker",
        "performance"
      })
  void offersNoWayOut(String name) {
    assertThat(outcome("return typeof " + name)).isEqualTo(returned("\"undefined\""));
  }

  @Test
  void loadsNoModules() {
    assertThat(outcome("return import('os')")).isInstanceOf(Threw.class);
  }

  @Test
  void cannotChangeWhatItIsGiven() {
    assertThat(outcome("'use strict'; try { viesti.kv.get = 1 } catch (e) { return e.name }"))
        .isEqualTo(returned("\"TypeError\""));
    assertThat(outcome("JSON.parse = JSON.stringify = Promise.prototype.then = 1; return [2]"))
        .isInstanceOf(Returned.class)
        .isEqualTo(returned("[2]"));
  }
}
