package dev.viesti.dispatcher.script;

import static dev.viesti.dispatcher.script.Scripts.ENGINE;
import static dev.viesti.dispatcher.script.Scripts.returned;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class ScriptThreadsTest {
  private static final int THREADS = 16;
  private static final int ROUNDS = 8;

  /** What one of them writes into its memory, no other one may find in its own. */
  @Test
  void runsManyScriptsAtOnceAndKeepsThemApart() throws Exception {
    String source =
        """
        let mine;
        function main(n) {
          mine = Array.from({ length: 500 }, (_, i) => ({ n, i }));
          const told = viesti.kv.get('k' + n);
          return [mine.every((one, i) => one.n === n && one.i === i), told, typeof other];
        }
        """;
    var together = new CyclicBarrier(THREADS);
    try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
      List<Future<List<ScriptResult>>> all = new ArrayList<>();
      for (int n = 0; n < THREADS; n++) {
        String number = Integer.toString(n);
        Callable<List<ScriptResult>> work =
            () -> {
              List<ScriptResult> results = new ArrayList<>();
              Scripts scripts = new Scripts((function, arguments) -> "\"" + number + "\"");
              together.await();
              for (int round = 0; round < ROUNDS; round++) {
                results.add(scripts.run(source, new ScriptArgument.Json(number)));
              }
              return results;
            };
        all.add(threads.submit(work));
      }
      for (int n = 0; n < THREADS; n++) {
        assertThat(all.get(n).get())
            .hasSize(ROUNDS)
            .allSatisfy(
                result -> assertThat(result.outcome()).isInstanceOf(ScriptResult.Returned.class))
            .extracting(ScriptResult::outcome)
            .containsOnly(returned("[true,%d,\"undefined\"]".formatted(n)));
      }
    }
  }

  /**
   * The engine interprets functions that are too large for a method of the JVM, a hundred times
   * slower, and says nothing. All that runs below a call of the host is on the stack then: the loop
   * that JavaScript runs in, too.
   */
  @Test
  void runsOnCompiledCodeAllTheWayDown() {
    List<String> classes = new ArrayList<>();
    ScriptResult result =
        new Scripts(
                (function, arguments) -> {
                  Arrays.stream(Thread.currentThread().getStackTrace())
                      .map(StackTraceElement::getClassName)
                      .forEach(classes::add);
                  return "null";
                })
            .run("const inner = () => viesti.kv.get('k'); function main() { return inner() }");
    assertThat(result.outcome()).isEqualTo(returned("null"));
    assertThat(classes).noneMatch(name -> name.contains("InterpreterMachine"));
    assertThat(classes.stream().filter(name -> name.contains("CompiledMachine")).count())
        .isGreaterThan(5);
    assertThat(ENGINE.prepare(Runnable::run)).isCompleted();
  }
}
