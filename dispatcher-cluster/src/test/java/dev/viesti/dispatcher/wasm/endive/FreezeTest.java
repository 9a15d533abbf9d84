package dev.viesti.dispatcher.wasm.endive;

import static dev.viesti.dispatcher.wasm.ModuleWriter.I32;
import static dev.viesti.dispatcher.wasm.ModuleWriter.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.dispatcher.wasm.HostFunction;
import dev.viesti.dispatcher.wasm.ModuleWriter;
import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmModule;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.dispatcher.wasm.WasmTrapException.Kind;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A module that begins where an instance of it has got to. */
class FreezeTest {
  private static final int ADDRESS = 70_000;

  private final EndiveEngine engine = new EndiveEngine(Guests.settings());
  private WasmModule module;

  /**
   * {@code grow(pages)}, {@code count()} of calls in a global, {@code host()}, which calls the one
   * import; 16 bytes of data at 8.
   */
  @BeforeEach
  void load() throws Exception {
    var writer = new ModuleWriter();
    int nothing = writer.type(new int[] {});
    int word = writer.type(new int[] {}, I32);
    int imported = writer.importFunction("h", "f", nothing);
    int grow =
        writer.function(writer.type(new int[] {I32}, I32), bytes(0x20, 0, 0x40, 0)); // memory.grow
    int global = writer.global(I32, bytes(0x41, 0));
    int count =
        writer.function(word, bytes(0x23, global, 0x41, 1, 0x6a, 0x24, global, 0x23, global));
    int host = writer.function(nothing, bytes(0x10, imported));
    writer
        .memory(2)
        .export("grow", 0, grow)
        .export("count", 0, count)
        .export("host", 0, host)
        .data(8, "before".getBytes(StandardCharsets.US_ASCII));
    module = engine.load(writer.write());
  }

  @AfterEach
  void close() {
    engine.close();
  }

  @Test
  void beginsWithTheMemoryAndNothingElseOfIt() throws Exception {
    WasmInstance instance = Guests.fresh(module);
    instance.call("count");
    instance.writeInt(ADDRESS, 4_711);
    instance.writeByte(8, 'B');
    WasmInstance next = Guests.fresh(instance.freeze());
    assertThat(next.readInt(ADDRESS)).isEqualTo(4_711);
    assertThat(next.read(8, 6)).asString().isEqualTo("Before");
    assertThat(next.call("count")).isEqualTo(1);
    assertThat(next.fuelUsed()).isLessThan(20);
  }

  @Test
  void givesEachInstanceAMemoryOfItsOwn() throws Exception {
    WasmInstance instance = Guests.fresh(module);
    instance.writeInt(ADDRESS, 1);
    WasmModule frozen = instance.freeze();
    WasmInstance one = Guests.fresh(frozen);
    one.writeInt(ADDRESS, 2);
    one.writeInt(0, 3);
    WasmInstance other = Guests.fresh(frozen);
    assertThat(other.readInt(ADDRESS)).isEqualTo(1);
    assertThat(other.readInt(0)).isZero();
    assertThat(Guests.fresh(module).readInt(ADDRESS)).isZero();
  }

  @Test
  void keepsTheSizeThatTheMemoryHadGrownTo() throws Exception {
    WasmInstance instance = Guests.fresh(module);
    assertThat(instance.call("grow", 3)).isEqualTo(2);
    WasmModule frozen = instance.freeze();
    WasmInstance next = frozen.instantiate(Guests.ENOUGH_FUEL, 5, Guests.idleHost(frozen));
    assertThat(next.peakPages()).isEqualTo(5);
    assertThat(next.call("grow", 1)).isEqualTo(-1);
    assertThatThrownBy(() -> frozen.instantiate(1, 4, Guests.idleHost(frozen)))
        .isInstanceOfSatisfying(
            WasmTrapException.class, trap -> assertThat(trap.kind()).isEqualTo(Kind.MEMORY));
  }

  @Test
  void canBeFrozenAgain() throws Exception {
    WasmInstance first = Guests.fresh(module);
    first.writeInt(0, 1);
    WasmInstance second = Guests.fresh(first.freeze());
    second.writeInt(ADDRESS, 2);
    WasmInstance third = Guests.fresh(second.freeze());
    assertThat(third.readInt(0)).isEqualTo(1);
    assertThat(third.readInt(ADDRESS)).isEqualTo(2);
  }

  @Test
  void endsTheInstance() throws Exception {
    WasmInstance instance = Guests.fresh(module);
    var unused = instance.freeze();
    assertThatThrownBy(() -> instance.call("count")).isInstanceOf(WasmTrapException.class);
    assertThatThrownBy(() -> instance.writeInt(0, 1)).isInstanceOf(WasmTrapException.class);
    assertThatThrownBy(instance::freeze).isInstanceOf(WasmTrapException.class);
  }

  @Test
  void isNothingForTheMiddleOfACall() throws Exception {
    var refused = new AtomicReference<@Nullable WasmTrapException>();
    HostFunction freezes =
        (instance, arguments) -> {
          try {
            var unused = instance.freeze();
          } catch (WasmTrapException trap) {
            refused.set(trap);
          }
          return 0;
        };
    module.instantiate(Guests.ENOUGH_FUEL, Guests.PAGES_MAX, List.of(freezes)).call("host");
    assertThat(refused.get()).hasMessageContaining("in the middle of a call");
  }
}
