package dev.viesti.dispatcher.wasm.endive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmModule;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Fuel as wasmtime 49 counts it; the numbers were measured there. */
class FuelTest {
  private static final EndiveEngine engine = new EndiveEngine(Guests.settings());
  private static WasmModule golden;

  @BeforeAll
  static void load() throws Exception {
    golden = engine.load(Guests.resource("golden.wasm"));
  }

  @AfterAll
  static void close() {
    engine.close();
  }

  @Test
  void anEmptyFunctionCostsOne() throws Exception {
    assertThat(fuel("nop")).isEqualTo(1);
  }

  @Test
  void callsCostAsMuchAsInWasmtime() throws Exception {
    assertThat(fuel("fib", 20)).isEqualTo(240_798);
  }

  @Test
  void loopsCostAsMuchAsInWasmtime() throws Exception {
    assertThat(fuel("sieve", 100_000)).isEqualTo(4_637_187);
  }

  @Test
  void handlingAnEventCostsAsMuchAsInWasmtime() throws Exception {
    WasmInstance instance = Guests.fresh(golden);
    instance.call("init");
    int address = (int) instance.call("alloc", 210);
    long before = instance.fuelUsed();
    instance.call("handle_event", address, 10, address + 10, 200);
    assertThat(instance.fuelUsed() - before).isEqualTo(2_376);
  }

  @Test
  void whatACallNeedsIsEnoughAndOneLessIsNot() throws Exception {
    assertThat(golden.instantiate(240_798, 64, Guests.idleHost(golden)).call("fib", 20))
        .isEqualTo(6_765);
    WasmInstance poor = golden.instantiate(240_797, 64, Guests.idleHost(golden));
    assertThatThrownBy(() -> poor.call("fib", 20))
        .isInstanceOfSatisfying(
            WasmTrapException.class,
            e -> assertThat(e.kind()).isEqualTo(WasmTrapException.Kind.FUEL));
    assertThat(poor.fuelUsed()).isEqualTo(240_797);
  }

  @Test
  void theHostTakesFromTheSameFuelInTheMiddleOfACall() throws Exception {
    List<Long> seen = new ArrayList<>();
    WasmInstance instance =
        golden.instantiate(
            1_000_000,
            64,
            List.of(
                (caller, arguments) -> {
                  seen.add(caller.fuelUsed());
                  caller.charge(10_000);
                  seen.add(caller.fuelUsed());
                  return 0;
                }));
    int address = (int) instance.call("alloc", 210);
    instance.call("handle_event", address, 10, address + 10, 200);
    assertThat(instance.fuelUsed()).isEqualTo(2_376 + 28 + 10_000);
    assertThat(seen.get(1) - seen.get(0)).isEqualTo(10_000);
    assertThat(seen.get(0)).isBetween(2_000L, 2_405L);
  }

  @Test
  void aHostThatChargesTooMuchEndsTheCall() throws Exception {
    WasmInstance instance =
        golden.instantiate(
            1_000_000,
            64,
            List.of(
                (caller, arguments) -> {
                  caller.charge(Long.MAX_VALUE);
                  return 0;
                }));
    int address = (int) instance.call("alloc", 210);
    assertThatThrownBy(() -> instance.call("handle_event", address, 10, address + 10, 200))
        .isInstanceOfSatisfying(
            WasmTrapException.class,
            e -> assertThat(e.kind()).isEqualTo(WasmTrapException.Kind.FUEL));
    assertThat(instance.fuelUsed()).isEqualTo(1_000_000);
  }

  private static long fuel(String export, long... arguments) throws Exception {
    WasmInstance instance = Guests.fresh(golden);
    instance.call(export, arguments);
    return instance.fuelUsed();
  }
}
