package dev.viesti.dispatcher.wasm.endive;

import static dev.viesti.dispatcher.wasm.ModuleWriter.I32;
import static dev.viesti.dispatcher.wasm.ModuleWriter.I64;
import static dev.viesti.dispatcher.wasm.ModuleWriter.bytes;
import static dev.viesti.dispatcher.wasm.ModuleWriter.i32;
import static dev.viesti.dispatcher.wasm.ModuleWriter.locals;
import static dev.viesti.dispatcher.wasm.ModuleWriter.repeat;
import static dev.viesti.dispatcher.wasm.ModuleWriter.unsigned;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wasm.ModuleWriter;
import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmModule;
import dev.viesti.dispatcher.wasm.WasmSettings;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.dispatcher.wasm.metering.FuelInjector;
import dev.viesti.dispatcher.wasm.metering.ModuleScan;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Binaries that do not become modules, and why. */
class RefusalTest {
  private static final WasmSettings settings = Guests.settings();
  private static final EndiveEngine engine = new EndiveEngine(settings);
  private static final int VOID = 0x40;

  @AfterAll
  static void close() {
    engine.close();
  }

  static Stream<Arguments> refused() {
    byte[] nop = {0x01};
    return Stream.of(
        Arguments.of("nothing", new byte[0], "no WebAssembly core module"),
        Arguments.of("text", "(module)".getBytes(StandardCharsets.UTF_8), "core"),
        Arguments.of("a component", bytes(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0), "component"),
        Arguments.of("too large", new byte[(5 << 20) + 1], "5,242,881 bytes"),
        Arguments.of("too many functions", functions(20_000, nop), "20,000 functions"),
        Arguments.of(
            "too many instructions", functions(6_000, repeat(100, nop)), "500,000 instructions"),
        Arguments.of("a long function", functions(1, new byte[600_000]), "bytes in a function"),
        Arguments.of(
            "many locals",
            module(w -> w.function(w.type(new int[] {}), locals(49_000, I64), nop)),
            "49,000 locals"),
        Arguments.of(
            "4 billion locals",
            module(w -> w.function(w.type(new int[] {}), locals(0xffff_ffffL, I64), nop)),
            "4,294,967,295 locals"),
        Arguments.of(
            "deep nesting",
            functions(1, bytes(repeat(20_000, bytes(2, VOID)), repeat(20_000, bytes(0x0b)))),
            "500 deep"),
        Arguments.of("a huge memory", module(w -> w.memory(65_536)), "65,536 pages"),
        Arguments.of("a memory of 64 bits", module(w -> w.memory(bytes(4, 1))), "64 bits"),
        Arguments.of("a shared memory", module(w -> w.memory(bytes(3, 1, 1))), "shared"),
        Arguments.of("two memories", module(w -> w.memory(1).memory(1)), "2 memories"),
        Arguments.of("a huge table", module(w -> w.table(10_000_000)), "10,000,000 entries"),
        Arguments.of(
            "an imported memory", module(w -> w.importOther(bytes(2, 0, 1))), "no function"),
        Arguments.of(
            "an imported table", module(w -> w.importOther(bytes(1, 0x70, 0, 1))), "no function"),
        Arguments.of(
            "an imported global", module(w -> w.importOther(bytes(3, I32, 0))), "no function"),
        Arguments.of(
            "the reserved export",
            module(
                w -> {
                  w.global(I64, bytes(0x42, 0));
                  w.export("__fuel", 3, 0);
                }),
            "__fuel"),
        Arguments.of("vectors", functions(1, bytes(0xfd, 12, new byte[16], 0x1a)), "not allowed"),
        Arguments.of("atomics", functions(1, bytes(0xfe, 3, 0)), "not allowed"),
        Arguments.of("tail calls", functions(1, bytes(0x12, 0)), "not allowed"),
        Arguments.of("exceptions", functions(1, bytes(0x08, 0)), "not allowed"),
        Arguments.of("objects", functions(1, bytes(0xfb, 0, 0)), "not allowed"),
        Arguments.of(
            "foreign references", functions(1, bytes(0xd0, 0x6f, 0x1a)), "not to a function"),
        Arguments.of(
            "an offset beyond all memory",
            functions(1, bytes(i32(0), 0x28, 2, unsigned(0x8000_0000L), 0x1a)),
            "2 GiB"),
        Arguments.of("a type error", functions(1, bytes(0x6a, 0x1a)), "not valid"),
        Arguments.of(
            "locals everywhere",
            module(
                w -> {
                  int type = w.type(new int[] {});
                  for (int i = 0; i < 1_000; i++) {
                    w.function(type, locals(1_000, I64), nop);
                  }
                }),
            "500,000 instructions"),
        Arguments.of(
            "much on the stack",
            functions(
                1,
                bytes(
                    bytes(2, VOID),
                    repeat(5_000, i32(1)),
                    repeat(5_000, bytes(i32(0), 0x0d, 0)),
                    repeat(5_000, bytes(0x1a)),
                    0x0b)),
            "on the stack"),
        Arguments.of(
            "a big jump table",
            functions(1, bytes(i32(0), 0x0e, unsigned(100_000), new byte[100_001])),
            "targets"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refused")
  void refuses(String name, byte[] binary, String why) {
    assertThatThrownBy(() -> engine.load(binary))
        .isInstanceOf(InvalidModuleException.class)
        .hasMessageContaining(why);
  }

  @Test
  void refusesAModuleThatForgesFuel() {
    // Global 0 does not exist, until metering appends one.
    byte[] forges = functions(1, bytes(0x42, ModuleWriter.signed(Long.MAX_VALUE / 8), 0x24, 0));
    assertThatThrownBy(() -> engine.load(forges))
        .isInstanceOf(InvalidModuleException.class)
        .hasMessageContaining("not valid");
  }

  @Test
  void refusesWhatIsCutOffAnywhere() {
    byte[] whole = Guests.resource("golden.wasm");
    int sections = 0;
    for (int length = 0; length < whole.length; length++) {
      try {
        engine.load(Arrays.copyOf(whole, length));
        sections++; // a cut between two sections may leave a smaller module that is whole
      } catch (InvalidModuleException expected) {
        assertThat(expected).hasMessageNotContaining("took longer");
      }
    }
    assertThat(sections).isLessThan(6);
  }

  @Test
  void garbageIsRefusedOrRunsWithinItsLimits() throws Exception {
    Random random = new Random(7);
    int loaded = 0;
    for (int round = 0; round < 300; round++) {
      WasmModule module;
      try {
        module = engine.load(flipped(random));
      } catch (InvalidModuleException expected) {
        continue;
      }
      loaded++;
      if (loaded % 8 == 0) {
        runAll(module);
      }
    }
    assertThat(loaded).isGreaterThan(10);
  }

  @Test
  void thePassesBeforeValidationTakeAnyBytes() {
    Random random = new Random(11);
    int metered = 0;
    for (int round = 0; round < 5_000; round++) {
      byte[] binary = flipped(random);
      try {
        metered += FuelInjector.inject(binary, ModuleScan.scan(binary, settings)).length;
      } catch (InvalidModuleException expected) {
        assertThat(expected).hasMessageNotContaining("null");
      }
    }
    assertThat(metered).isPositive();
  }

  private static byte[] flipped(Random random) {
    byte[] binary = Guests.resource("golden.wasm");
    for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
      binary[8 + random.nextInt(binary.length - 8)] ^= (byte) (1 << random.nextInt(8));
    }
    return binary;
  }

  private static void runAll(WasmModule module) {
    for (WasmModule.Export export : module.exports()) {
      long[] arguments = new long[export.signature().parameters().size()];
      Arrays.fill(arguments, 17);
      var unused =
          Guests.run(
              20_000,
              () -> {
                WasmInstance instance = module.instantiate(100_000, 64, Guests.idleHost(module));
                try {
                  instance.call(export.name(), arguments);
                } catch (WasmTrapException e) {
                  assertThat(instance.fuelUsed()).isBetween(0L, 100_000L);
                }
                assertThat(instance.peakPages()).isLessThanOrEqualTo(64);
              });
    }
  }

  /** How a test says what is in a module. */
  @FunctionalInterface
  private interface Contents {
    void write(ModuleWriter writer);
  }

  private static byte[] module(Contents contents) {
    ModuleWriter writer = new ModuleWriter();
    contents.write(writer);
    return writer.write();
  }

  private static byte[] functions(int count, byte[] code) {
    return module(
        writer -> {
          writer.memory(1);
          int type = writer.type(new int[] {});
          for (int i = 0; i < count; i++) {
            writer.function(type, code);
          }
        });
  }
}
