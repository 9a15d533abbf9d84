package dev.viesti.dispatcher.wasm.endive;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.dispatcher.wasm.ModuleWriter;
import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmModule;
import dev.viesti.dispatcher.wasm.metering.FuelInjector;
import dev.viesti.dispatcher.wasm.metering.ModuleScan;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import run.endive.runtime.ImportFunction;
import run.endive.runtime.ImportValues;
import run.endive.runtime.Instance;
import run.endive.wasm.Parser;
import run.endive.wasm.types.FunctionImport;
import run.endive.wasm.types.OpCode;

/**
 * Metering against a count that has nothing to do with it: the module as it was, interpreted, with
 * each instruction counted when it is executed.
 */
class FuelOracleTest {
  private static final EndiveEngine engine = new EndiveEngine(Guests.settings());

  @AfterAll
  static void close() {
    engine.close();
  }

  @Test
  void agreesOnTheGoldenGuest() throws Exception {
    byte[] binary = Guests.resource("golden.wasm");
    assertThat(counted(binary, "fib", 20).fuel()).isEqualTo(240_798); // wasmtime agrees
    agree(binary, "fib", 12);
    agree(binary, "sieve", 3_000);
  }

  /** The golden guest's JSON pass over a text of its own; no other runtime was asked. */
  @Test
  void agreesOnJson() throws Exception {
    byte[] binary = Guests.resource("golden.wasm");
    StringBuilder text = new StringBuilder("[");
    for (int i = 0; text.length() < 2_500; i++) {
      text.append("{\"id\": ").append(i).append(", \"name\": \"item\", \"n\": -7},");
    }
    byte[] json = text.append("0]").toString().getBytes(StandardCharsets.UTF_8);
    Oracle oracle = new Oracle(binary);
    long address = oracle.call("alloc", json.length);
    oracle.instance.memory().write((int) address, json);
    oracle.call("json", address, json.length);

    WasmInstance metered = Guests.fresh(engine.load(binary));
    assertThat(metered.call("alloc", json.length)).isEqualTo(address);
    metered.write((int) address, json);
    metered.call("json", address, json.length);
    assertThat(metered.fuelUsed()).isEqualTo(oracle.fuel).isGreaterThan(100_000);
  }

  @Test
  void agreesOnRandomProgramsThatEnd() throws Exception {
    for (int seed = 0; seed < 60; seed++) {
      byte[] binary = new RandomProgram(new Random(seed)).write();
      Counted expected = counted(binary, "run", seed);
      byte[] metered = FuelInjector.inject(binary, ModuleScan.scan(binary, Guests.settings()));
      assertThat(Parser.parse(metered).codeSection().functionBodyCount()).isEqualTo(4); // validates
      WasmModule module = engine.load(binary);
      WasmInstance instance = Guests.fresh(module);
      assertThat(instance.call("run", seed))
          .as("result, seed %d", seed)
          .isEqualTo(expected.result());
      assertThat(instance.fuelUsed()).as("fuel, seed %d", seed).isEqualTo(expected.fuel());
    }
  }

  private record Counted(long result, long fuel) {}

  private static Counted counted(byte[] binary, String export, long... arguments) {
    Oracle oracle = new Oracle(binary);
    long result = oracle.call(export, arguments);
    return new Counted(result, oracle.fuel);
  }

  private static void agree(byte[] binary, String export, long argument) throws Exception {
    WasmInstance instance = Guests.fresh(engine.load(binary));
    Counted expected = counted(binary, export, argument);
    assertThat(instance.call(export, argument)).isEqualTo(expected.result());
    assertThat(instance.fuelUsed()).isEqualTo(expected.fuel());
  }

  /** Counts one for each function that is entered and for each instruction that is not free. */
  private static final class Oracle {
    final Instance instance;
    long fuel;

    Oracle(byte[] binary) {
      var module = Parser.parse(binary);
      ImportValues.Builder imports = ImportValues.builder();
      for (int i = 0; i < module.importSection().importCount(); i++) {
        FunctionImport function = (FunctionImport) module.importSection().getImport(i);
        var type = module.typeSection().getType(function.typeIndex());
        int results = type.returns().size();
        imports.addFunction(
            new ImportFunction(
                function.module(),
                function.name(),
                type,
                (caller, arguments) -> {
                  fuel--; // the call was taken for one of a function that is entered
                  return new long[results];
                }));
      }
      instance =
          Instance.builder(module)
              .withImportValues(imports.build())
              .withUnsafeExecutionListener((instruction, stack) -> count(instruction.opcode()))
              .build();
    }

    private void count(OpCode opcode) {
      switch (opcode) {
        case NOP, DROP, BLOCK, LOOP, UNREACHABLE, RETURN, ELSE, END -> {}
        case CALL, CALL_INDIRECT -> fuel += 2;
        default -> fuel++;
      }
    }

    long call(String export, long... arguments) {
      fuel++;
      long[] results = instance.export(export).apply(arguments);
      return results == null || results.length == 0 ? 0 : (int) results[0];
    }
  }

  /**
   * A function of nested blocks, loops that count down, branches of all kinds, early returns and
   * calls of functions before it, which always ends.
   */
  private static final class RandomProgram {
    private static final int VARIABLES = 4;

    /** Parameter, variables, then one counter for each depth of loops. */
    private static final int COUNTERS = 1 + VARIABLES;

    private final Random random;
    private final ByteArrayOutputStream code = new ByteArrayOutputStream();
    private int functions;
    private int size;

    RandomProgram(Random random) {
      this.random = random;
    }

    byte[] write() {
      ModuleWriter writer = new ModuleWriter().memory(1).table(4);
      int type = writer.type(new int[] {ModuleWriter.I32}, ModuleWriter.I32);
      for (functions = 0; functions < 4; functions++) {
        code.reset();
        size = 0;
        statements(0, 0);
        put(0x20, 1 + random.nextInt(VARIABLES));
        byte[] locals = ModuleWriter.locals(VARIABLES + 4, ModuleWriter.I32);
        writer.function(type, locals, code.toByteArray());
      }
      return writer.elements(0, 0, 1, 2, 2).export("run", 0, 3).write();
    }

    private void statements(int blocks, int loops) {
      for (int n = 1 + random.nextInt(5); n > 0 && size < 120; n--) {
        size++;
        statement(blocks, loops);
      }
    }

    private void statement(int blocks, int loops) {
      switch (random.nextInt(11)) {
        case 0 -> {
          put(0x02, 0x40);
          statements(blocks + 1, loops);
          put(0x0b);
        }
        case 1, 2 -> loop(loops);
        case 3 -> {
          condition();
          put(0x04, 0x40);
          statements(blocks + 1, loops);
          if (random.nextBoolean()) {
            put(0x05);
            statements(blocks + 1, loops);
          }
          put(0x0b);
        }
        case 4 -> exit(blocks, 0x0d);
        case 5 -> {
          condition();
          put(0x04, 0x40);
          exit(blocks + 1, 0x0c);
          put(0x0b);
        }
        case 6 -> {
          condition();
          put(0x04, 0x40, 0x20, 1, 0x0f, 0x0b);
        }
        case 7 -> {
          if (functions > 0) {
            variable();
            if (random.nextBoolean()) {
              put(0x10, random.nextInt(functions));
            } else {
              put(0x41, random.nextInt(functions), 0x11, 0, 0);
            }
            put(0x21, 1 + random.nextInt(VARIABLES));
          }
        }
        case 8 -> {
          put(0x02, 0x40, 0x02, 0x40);
          variable();
          put(0x41, 3, 0x71, 0x0e, 2, 0, 1, 0, 0x0b);
          statements(blocks + 1, loops);
          put(0x0b);
        }
        default -> {
          variable();
          variable();
          put(random.nextBoolean() ? 0x6a : 0x73, 0x01, 0x22, 1 + random.nextInt(VARIABLES), 0x1a);
        }
      }
    }

    /** Comes round a few times: its head counts down, and leaves the loop at zero. */
    private void loop(int loops) {
      if (loops == 3) {
        return;
      }
      int counter = COUNTERS + loops;
      put(0x41, 1 + random.nextInt(4), 0x21, counter, 0x02, 0x40, 0x03, 0x40);
      put(0x20, counter, 0x45, 0x0d, 1, 0x20, counter, 0x41, 1, 0x6b, 0x21, counter);
      statements(0, loops + 1);
      put(random.nextBoolean() ? 0x0c : 0x01);
      if (code.toByteArray()[code.size() - 1] == 0x0c) {
        put(0);
      }
      put(0x0b, 0x0b);
    }

    /** Out of a block around, but never back to the head of a loop. */
    private void exit(int blocks, int opcode) {
      if (blocks == 0) {
        return;
      }
      if (opcode == 0x0d) {
        condition();
      }
      put(opcode, random.nextInt(blocks));
    }

    private void condition() {
      variable();
      put(0x41, 1 + random.nextInt(3), 0x71);
    }

    private void variable() {
      put(0x20, random.nextInt(1 + VARIABLES));
    }

    private void put(int... bytes) {
      for (int value : bytes) {
        code.write(value);
      }
    }
  }
}
