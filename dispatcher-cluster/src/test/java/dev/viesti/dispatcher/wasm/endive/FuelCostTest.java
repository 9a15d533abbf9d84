package dev.viesti.dispatcher.wasm.endive;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.viesti.dispatcher.wasm.WasmInstance;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import run.endive.compiler.MachineFactoryCompiler;
import run.endive.runtime.ExportFunction;
import run.endive.runtime.HostFunction;
import run.endive.runtime.ImportValues;
import run.endive.runtime.Instance;
import run.endive.wasm.Parser;
import run.endive.wasm.WasmModule;
import run.endive.wasm.types.FunctionImport;
import run.endive.wasm.types.FunctionType;

/** What the meter costs: processor time of the same module with fuel and without. */
class FuelCostTest {
  private static final int ROUNDS = 12;
  private static final int MOST = 8;

  /** The JVM compiles what is hot when it gets to it: behind other work that can take seconds. */
  private static final Duration COMPILED_WITHIN = Duration.ofSeconds(60);

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private interface Work {
    void run() throws Exception;
  }

  @Test
  void costsNoMoreThanAFewTimesTheWorkItself() throws Exception {
    byte[] binary = Guests.resource("golden.wasm");
    try (EndiveEngine engine = new EndiveEngine(Guests.settings())) {
      var module = engine.load(binary);
      Instance bare = unmetered(binary);
      for (String guest : new String[] {"fib", "sieve"}) {
        int argument = guest.equals("fib") ? 27 : 1_000_000;
        ExportFunction unmetered = bare.export(guest);
        Work metered =
            () -> {
              WasmInstance instance =
                  module.instantiate(Long.MAX_VALUE >> 2, 64, Guests.idleHost(module));
              instance.call(guest, argument);
            };
        long end = System.nanoTime() + COMPILED_WITHIN.toNanos();
        double without;
        double with;
        do {
          without = micros(() -> unmetered.apply(argument));
          with = micros(metered);
        } while (with / without >= MOST && System.nanoTime() < end);
        System.out.printf(
            "%s(%d): %,.0f µs with fuel, %,.0f µs without: %.1f times%n",
            guest, argument, with, without, with / without);
        assertThat(with / without).as(guest).isLessThan(MOST);
      }
    }
  }

  private static Instance unmetered(byte[] binary) {
    WasmModule module = Parser.parse(binary);
    HostFunction[] host =
        module.importSection().stream()
            .map(FunctionImport.class::cast)
            .map(
                wanted -> {
                  FunctionType type = module.typeSection().getType(wanted.typeIndex());
                  return new HostFunction(
                      wanted.module(),
                      wanted.name(),
                      type,
                      (instance, arguments) -> new long[type.returns().size()]);
                })
            .toArray(HostFunction[]::new);
    return Instance.builder(module)
        .withImportValues(ImportValues.builder().addFunction(host).build())
        .withMachineFactory(MachineFactoryCompiler.compile(module))
        .build();
  }

  /** The median of the last rounds. */
  private double micros(Work work) throws Exception {
    var micros = new double[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
      long before = threads.getCurrentThreadCpuTime();
      work.run();
      micros[round] = (threads.getCurrentThreadCpuTime() - before) / 1e3;
    }
    double[] last = Arrays.copyOfRange(micros, ROUNDS - 7, ROUNDS);
    Arrays.sort(last);
    return last[3];
  }
}
