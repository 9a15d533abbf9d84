package dev.viesti.dispatcher.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.execution.Execution.Ended;
import dev.viesti.dispatcher.script.ScriptEngine;
import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wasm.WasmModule;
import dev.viesti.persistence.effects.Effects;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.Target;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class SandboxedScriptsTest extends ScriptSandbox {
  @Test
  void settlesWithWhatItWrote() throws Exception {
    Target.Script count = script(COUNT, ALL);
    assertThat(deliver(count, "{\"by\":2}")).isEqualTo(new Ended.Settled());
    assertThat(deliver(count, "{\"by\":3}")).isEqualTo(new Ended.Settled());
    assertThat(store.kv(APP)).containsExactly(Map.entry("counters/total", Payload.ofJson("5")));
    Effects last = effects.stream().toList().getLast();
    assertThat(last.epoch()).isEqualTo(9);
    assertThat(Objects.requireNonNull(last.settles()).seq()).isEqualTo(2);
    assertThat(last.by()).isEqualTo("script:counting");
    assertThat(last.numbering()).isEmpty();
  }

  @Test
  void leavesTheSettlementToOthersWhenThereIsNothingToWrite() throws Exception {
    assertThat(deliver(script("function handleEvent() {}"), ""))
        .isEqualTo(failing(Outcome.Succeeded.PLAIN));
    assertThat(effects).isEmpty();
  }

  @Test
  void discardsEverythingUnlessItSucceeds() throws Exception {
    String writes = "function handleEvent() { viesti.kv.put('a/b', 1); ";
    assertThat(deliver(script(writes + "throw new Error('no') }", ALL), ""))
        .isEqualTo(failing(new Outcome.Retryable("no (line 1, column 66)")));
    assertThat(deliver(script(writes + "throw 'permanent: never' }", ALL), ""))
        .isEqualTo(failing(new Outcome.Permanent("never")));
    assertThat(reason(deliver(script(writes + "for (;;); }", ALL), ""))).startsWith("fuel: ");
    assertThat(
            reason(
                deliver(
                    script(writes + "for (const a = [];;) a.push(new Uint8Array(1 << 20)) }", ALL),
                    "")))
        .startsWith("memory: ");
    assertThat(reason(deliver(script("let other;"), "")))
        .contains("the script defines no function handleEvent");
    assertThat(store.kv(APP)).isEmpty();
    assertThat(effects).isEmpty();
  }

  @Test
  void mayUseTheFuelOfItsTarget() throws Exception {
    String source = "function handleEvent() { for (let i = 0; i < 20000; i++); }";
    assertThat(deliver(script(source), "")).isEqualTo(failing(Outcome.Succeeded.PLAIN));
    assertThat(reason(deliver(new Target.Script(source, null, null, 1_000_000L), "")))
        .startsWith("fuel: ");
  }

  @Test
  void endsWhatTakesLongerThanItsTriggerAllows() throws Exception {
    var loop =
        new Target.Script("function handleEvent() { for (;;); }", null, null, 1_000_000_000L);
    Duration little = Duration.ofMillis(200);
    for (int n = 0; n < 12; n++) { // more than there are threads
      assertThat(deliver(loop, "", little)).isEqualTo(failing(new Outcome.TimedOut(little)));
    }
    assertThat(deliver(script(COUNT, ALL), "{\"by\":1}")).isEqualTo(new Ended.Settled());
  }

  /** All of them read the same; each has to count. */
  @Test
  void makesCallsAgainWhoseReadsWereOvertaken() throws Exception {
    List<Future<Ended>> all = new ArrayList<>();
    Target.Script count = script(COUNT, ALL);
    for (int n = 0; n < 50; n++) {
      Callable<Ended> one = () -> deliver(count, "{\"by\":1}");
      all.add(callers.submit(one));
    }
    for (Future<Ended> one : all) {
      assertThat(one.get()).isEqualTo(new Ended.Settled());
    }
    assertThat(store.kv(APP)).containsExactly(Map.entry("counters/total", Payload.ofJson("50")));
  }

  @Test
  void saysSoWhenItIsOvertakenAgainAndAgain() throws Exception {
    answer = new Effects.Result.Conflict("kv counters/total");
    assertThat(reason(deliver(script(COUNT, ALL), "{\"by\":1}")))
        .isEqualTo("conflict: kv counters/total was changed meanwhile");
    assertThat(effects).hasSize(6);
  }

  @Test
  void waitsForADatabaseThatIsAway() throws Exception {
    away = new SQLException("gone");
    assertThat(outcome(deliver(script(COUNT, ALL), "{\"by\":1}")))
        .isInstanceOf(Outcome.Postponed.class);
    away = null;
    assertThat(deliver(script(COUNT, ALL), "{\"by\":1}")).isEqualTo(new Ended.Settled());
  }

  /** The time that a trigger has is not for what is done once per node. */
  @Test
  void putsDeliveriesOffWhileQuickJsIsBeingLoaded() throws Exception {
    var begun = new CountDownLatch(1);
    var slow =
        new ScriptEngine(
            binary -> {
              await(begun);
              WasmModule module = QUICK_JS.load(binary);
              return module;
            });
    SandboxedScripts cold = runtime.scripts(slow, callers);
    Event event = Event.of(new UUID(7, 1), "test", "t", null, Payload.NONE);
    Delivery row = Delivery.fresh(1, event, TRIGGER, null, Given.NOON);
    var call = new HandlerCall(APP, TRIGGER, row.id(), 1, 9, event);
    Target.Script target = script("function handleEvent() {}");
    assertThat(outcome(cold.run(target, call, row, Duration.ofMillis(10))))
        .isEqualTo(new Outcome.Postponed("QuickJS is being loaded", Duration.ofMillis(250)));
    begun.countDown();
    slow.prepare(callers).join();
    assertThat(outcome(cold.run(target, call, row, PATIENCE))).isEqualTo(Outcome.Succeeded.PLAIN);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void triesAgainToLoadWhatCouldNotBeLoaded() throws Exception {
    var tries = new AtomicInteger();
    var broken =
        new ScriptEngine(
            binary -> {
              if (tries.incrementAndGet() == 1) {
                throw new InvalidModuleException("not today");
              }
              return QUICK_JS.load(binary);
            });
    SandboxedScripts cold = runtime.scripts(broken, callers);
    assertThat(cold.check(APP, script("let a;")))
        .isInstanceOfSatisfying(
            Refusal.Unavailable.class, later -> assertThat(later.detail()).contains("not today"));
    assertThat(cold.check(APP, script("let a;"))).isNull();
  }

  @Test
  void answersThoseWhoInvokeIt() throws Exception {
    assertThat(invoke("function f(input) { return { twice: 2 * input.n } }", "{\"n\":21}"))
        .isEqualTo(new CallEnd.Returned(Payload.ofJson("{\"twice\":42}")));
    assertThat(invoke("function f() { throw new Error('no') }", "1"))
        .isInstanceOfSatisfying(
            CallEnd.Failed.class,
            failed -> {
              assertThat(failed.kind()).isEqualTo("error");
              assertThat(failed.message()).startsWith("no (line 1");
            });
    assertThat(
            scripts.invoke(
                new Scripts.Invocation(
                    APP, 9, TRIGGER, script(COUNT, ALL), Payload.NONE, "alice", PATIENCE)))
        .isEqualTo(
            new CallEnd.Failed(
                "contract",
                "handleEvent is for events: a target that is invoked names another function"));
  }

  @Test
  void refusesWhatCannotRun() throws Exception {
    assertThat(scripts.check(APP, script(COUNT, ALL))).isNull();
    assertThat(scripts.check(APP, script("let a;\n let x = ;")))
        .isEqualTo(
            new Refusal.Invalid(
                "/target/script/source", "2:10: SyntaxError: unexpected token in expression: ';'"));
    assertThat(scripts.check(APP, script(COUNT, "log:write", "kv:every:a")))
        .isInstanceOfSatisfying(
            Refusal.Invalid.class,
            wrong -> {
              assertThat(wrong.pointer()).isEqualTo("/target/script/permissions/1");
              assertThat(wrong.detail()).contains("'kv:every:a' is no permission");
            });
    assertThat(scripts.check(APP, script(COUNT, "numbering:next:order")))
        .isInstanceOfSatisfying(
            Refusal.Invalid.class,
            wrong -> assertThat(wrong.pointer()).isEqualTo("/target/script/permissions/0"));
    assertThat(scripts.check(APP, new Target.Script(COUNT, null, null, 9L)))
        .isEqualTo(
            new Refusal.Invalid("/target/script/fuel", "fuel is 10,000 to 1,000,000,000, not 9"));
  }
}
