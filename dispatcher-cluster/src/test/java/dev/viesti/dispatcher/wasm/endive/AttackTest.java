package dev.viesti.dispatcher.wasm.endive;

import static dev.viesti.dispatcher.wasm.ModuleWriter.I32;
import static dev.viesti.dispatcher.wasm.ModuleWriter.I64;
import static dev.viesti.dispatcher.wasm.ModuleWriter.bytes;
import static dev.viesti.dispatcher.wasm.ModuleWriter.i32;
import static dev.viesti.dispatcher.wasm.ModuleWriter.locals;
import static dev.viesti.dispatcher.wasm.ModuleWriter.repeat;
import static dev.viesti.dispatcher.wasm.ModuleWriter.unsigned;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.dispatcher.wasm.HostFunction;
import dev.viesti.dispatcher.wasm.ModuleWriter;
import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmModule;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.dispatcher.wasm.WasmTrapException.Kind;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a module may try while it runs, and how it ends. */
class AttackTest {
  private static final EndiveEngine engine = new EndiveEngine(Guests.settings());
  private static final int VOID = 0x40;

  /** Ends a loop by interrupt, not by fuel. */
  private static final long SOON_MILLIS = 150;

  private static final long NEVER_MILLIS = 20_000;

  private static final byte[] LOOP = bytes(0x03, VOID, 0x0c, 0, 0x0b);
  private static final byte[] LOOP_IF = bytes(0x03, VOID, i32(1), 0x0d, 0, 0x0b);
  private static final byte[] LOOP_TABLE = bytes(0x03, VOID, i32(0), 0x0e, 1, 0, 0, 0x0b);
  private static final byte[] LOOP_FILL =
      bytes(0x03, VOID, i32(0), i32(7), i32(16 << 20), 0xfc, 11, 0, 0x0c, 0, 0x0b);

  @AfterAll
  static void close() {
    engine.close();
  }

  static Stream<Arguments> loops() {
    return Stream.of(
        Arguments.of("br", LOOP),
        Arguments.of("br_if", LOOP_IF),
        Arguments.of("br_table", LOOP_TABLE),
        Arguments.of("memory.fill", LOOP_FILL));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("loops")
  void anInterruptEndsALoopThatHasFuelForever(String name, byte[] loop) throws Exception {
    WasmModule module = engine.load(new ModuleWriter().memory(256).alsoRun("run", loop).write());
    assertThat(end(module, Guests.ENOUGH_FUEL, SOON_MILLIS)).isEqualTo(Kind.INTERRUPTED);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("loops")
  void fuelEndsALoop(String name, byte[] loop) throws Exception {
    WasmModule module = engine.load(new ModuleWriter().memory(256).alsoRun("run", loop).write());
    assertThat(end(module, 1_000_000, NEVER_MILLIS)).isEqualTo(Kind.FUEL);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("loops")
  void aLoopInAFunctionTooLargeToCompileEndsToo(String name, byte[] loop) throws Exception {
    byte[] padding = repeat(20_000, bytes(i32(1_000_000), 0x1a));
    WasmModule module =
        engine.load(new ModuleWriter().memory(256).alsoRun("run", bytes(padding, loop)).write());
    assertThat(end(module, 100_000, NEVER_MILLIS)).isEqualTo(Kind.FUEL);
    assertThat(end(module, Guests.ENOUGH_FUEL, 300)).isEqualTo(Kind.INTERRUPTED);
  }

  @Test
  void aStartFunctionIsUnderTheSameLimits() throws Exception {
    ModuleWriter writer = new ModuleWriter();
    int start = writer.run("run", LOOP);
    WasmModule module = engine.load(writer.start(start).write());
    assertThat(end(module, 1_000_000, NEVER_MILLIS)).isEqualTo(Kind.FUEL);
    assertThat(end(module, Guests.ENOUGH_FUEL, SOON_MILLIS)).isEqualTo(Kind.INTERRUPTED);
  }

  @Test
  void recursionEndsOnTheStackItHas() throws Exception {
    ModuleWriter writer = new ModuleWriter();
    writer.run("run", bytes(0x10, 0));
    assertThat(end(engine.load(writer.write()), Guests.ENOUGH_FUEL, NEVER_MILLIS))
        .isEqualTo(Kind.STACK);
  }

  @Test
  void recursionWithLocalsEndsOnTheStackItHas() throws Exception {
    for (int count : new int[] {16, 900}) {
      ModuleWriter writer = new ModuleWriter();
      int type = writer.type(new int[] {});
      int function = writer.function(type, locals(count, I64), bytes(0x10, 0, 0x10, 0));
      writer.export("run", 0, function);
      assertThat(end(engine.load(writer.write()), Guests.ENOUGH_FUEL, NEVER_MILLIS))
          .isEqualTo(Kind.STACK);
    }
  }

  @Test
  void recursionThroughATableEndsOnTheStackItHas() throws Exception {
    ModuleWriter writer = new ModuleWriter();
    writer.run("run", bytes(i32(0), 0x11, 0, 0));
    byte[] binary = writer.table(1).elements(0, 0).write();
    assertThat(end(engine.load(binary), Guests.ENOUGH_FUEL, NEVER_MILLIS)).isEqualTo(Kind.STACK);
  }

  @Test
  void interpretedRecursionEndsOnTheStackItHas() throws Exception {
    ModuleWriter writer = new ModuleWriter();
    byte[] padding = repeat(20_000, bytes(i32(1_000_000), 0x1a));
    writer.run("run", bytes(0x10, 0, padding));
    assertThat(end(engine.load(writer.write()), Guests.ENOUGH_FUEL, NEVER_MILLIS))
        .isEqualTo(Kind.STACK);
  }

  @Test
  void recursionThroughTheHostEnds() throws Exception {
    ModuleWriter writer = new ModuleWriter();
    int type = writer.type(new int[] {});
    int host = writer.importFunction("env", "again", type);
    writer.export("run", 0, writer.function(type, bytes(0x10, unsigned(host))));
    WasmModule module = engine.load(writer.write());
    HostFunction again = (instance, arguments) -> instance.call("run");
    WasmTrapException trap =
        Guests.run(NEVER_MILLIS, () -> module.instantiate(1 << 20, 1, List.of(again)).call("run"));
    assertThat(kind(trap)).isEqualTo(Kind.STACK);
  }

  @Test
  void memoryGrowsToItsCapAndNoFurther() throws Exception {
    ModuleWriter writer = new ModuleWriter().memory(1);
    int type = writer.type(new int[] {I32}, I32);
    writer.export("run", 0, writer.function(type, bytes(0x20, 0, 0x40, 0)));
    WasmModule module = engine.load(writer.write());
    WasmInstance instance = module.instantiate(Guests.ENOUGH_FUEL, 64, List.of());
    assertThat(instance.call("run", 62)).isEqualTo(1);
    assertThat(instance.call("run", 2)).isEqualTo(-1);
    assertThat(instance.call("run", 1)).isEqualTo(63);
    assertThat(instance.call("run", 1)).isEqualTo(-1);
    assertThat(instance.call("run", -1)).isEqualTo(-1);
    assertThat(instance.call("run", 65_536)).isEqualTo(-1);
    assertThat(instance.peakPages()).isEqualTo(64);
  }

  @Test
  void growthInALoopStaysWithinTheCap() throws Exception {
    byte[] bomb = bytes(0x03, VOID, i32(1), 0x40, 0, 0x1a, 0x0c, 0, 0x0b);
    WasmModule module = engine.load(new ModuleWriter().memory(1).alsoRun("run", bomb).write());
    WasmInstance instance = module.instantiate(3_000_000, 512, List.of());
    WasmTrapException trap = Guests.run(NEVER_MILLIS, () -> instance.call("run"));
    assertThat(kind(trap)).isEqualTo(Kind.FUEL);
    assertThat(instance.peakPages()).isEqualTo(512);
    assertThat(instance.fuelUsed()).isEqualTo(3_000_000);
  }

  @Test
  void aMemoryThatBeginsLargerThanItMayIsRefused() throws Exception {
    ModuleWriter writer = new ModuleWriter().memory(65);
    writer.run("run", bytes(0x01));
    WasmModule module = engine.load(writer.write());
    WasmTrapException trap =
        Guests.run(NEVER_MILLIS, () -> module.instantiate(1_000, 64, List.of()));
    assertThat(kind(trap)).isEqualTo(Kind.MEMORY);
  }

  @Test
  void tablesGrowToTheirCapAndNoFurther() throws Exception {
    ModuleWriter writer = new ModuleWriter().table(1);
    int type = writer.type(new int[] {I32}, I32);
    writer.export("run", 0, writer.function(type, bytes(0xd0, 0x70, 0x20, 0, 0xfc, 15, 0)));
    WasmModule module = engine.load(writer.write());
    for (int i = 0; i < 2; i++) { // the second instance must not know what the first did
      WasmInstance instance = module.instantiate(Guests.ENOUGH_FUEL, 0, List.of());
      assertThat(instance.call("run", 1_000_000_000)).isEqualTo(-1);
      assertThat(instance.call("run", Integer.MAX_VALUE)).isEqualTo(-1);
      assertThat(instance.call("run", 9_000_000)).isEqualTo(-1);
      assertThat(instance.call("run", -1)).isEqualTo(-1);
      assertThat(instance.call("run", 9_998)).isEqualTo(1);
      assertThat(instance.call("run", 0)).isEqualTo(9_999);
      assertThat(instance.call("run", 2)).isEqualTo(-1);
    }
  }

  static Stream<Arguments> traps() {
    return Stream.of(
        Arguments.of("unreachable", bytes(0x00)),
        Arguments.of("division by zero", bytes(i32(1), i32(0), 0x6d, 0x1a)),
        Arguments.of("overflow", bytes(i32(Integer.MIN_VALUE), i32(-1), 0x6d, 0x1a)),
        Arguments.of("load", bytes(i32(65_533), 0x28, 2, 0, 0x1a)),
        Arguments.of("load at -1", bytes(i32(-1), 0x2d, 0, 0, 0x1a)),
        Arguments.of("load with offset", bytes(i32(1), 0x28, 2, unsigned(0x7fffffff), 0x1a)),
        Arguments.of("store", bytes(i32(65_533), i32(1), 0x36, 2, 0)),
        Arguments.of("fill", bytes(i32(1), i32(1), i32(65_536), 0xfc, 11, 0)),
        Arguments.of("fill of everything", bytes(i32(1), i32(1), i32(-1), 0xfc, 11, 0)),
        Arguments.of("copy", bytes(i32(1), i32(0), i32(65_536), 0xfc, 10, 0, 0)),
        Arguments.of("null call", bytes(i32(0), 0x11, 0, 0)),
        Arguments.of("call out of bounds", bytes(i32(7), 0x11, 0, 0)),
        Arguments.of("table.set", bytes(i32(9), 0xd0, 0x70, 0x26, 0)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("traps")
  void whatIsForbiddenTraps(String name, byte[] code) throws Exception {
    ModuleWriter writer = new ModuleWriter().memory(1).table(2);
    writer.run("run", code);
    assertThat(end(engine.load(writer.write()), Guests.ENOUGH_FUEL, NEVER_MILLIS))
        .isEqualTo(Kind.TRAP);
  }

  static Stream<Arguments> failures() {
    return Stream.of(
        Arguments.of(new IllegalStateException("no"), Kind.HOST),
        Arguments.of(new IndexOutOfBoundsException("no"), Kind.HOST),
        Arguments.of(new StackOverflowError(), Kind.STACK),
        Arguments.of(new OutOfMemoryError("no"), Kind.HOST),
        Arguments.of(new AssertionError("no"), Kind.HOST),
        Arguments.of(new WasmTrapException(Kind.CONTRACT, "no"), Kind.CONTRACT));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("failures")
  void whatTheHostThrowsEndsTheCall(Throwable failure, Kind kind) throws Exception {
    WasmModule module = engine.load(callsHost());
    HostFunction host =
        (instance, arguments) -> {
          if (failure instanceof Error error) {
            throw error;
          }
          if (failure instanceof RuntimeException exception) {
            throw exception;
          }
          throw (WasmTrapException) failure;
        };
    WasmInstance instance = module.instantiate(1_000, 0, List.of(host));
    WasmTrapException trap = Guests.run(NEVER_MILLIS, () -> instance.call("run"));
    assertThat(kind(trap)).isEqualTo(kind);
    WasmTrapException again = Guests.run(NEVER_MILLIS, () -> instance.call("run"));
    assertThat(kind(again)).isEqualTo(kind);
    assertThat(instance.fuelUsed()).isEqualTo(2);
  }

  @Test
  void anInterruptReachesAHostThatWaits() throws Exception {
    WasmModule module = engine.load(callsHost());
    CountDownLatch never = new CountDownLatch(1);
    AtomicReference<@Nullable String> seen = new AtomicReference<>();
    HostFunction host =
        (instance, arguments) -> {
          try {
            never.await();
          } catch (InterruptedException e) {
            seen.set("interrupted");
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
          }
          return 0;
        };
    WasmTrapException trap =
        Guests.run(SOON_MILLIS, () -> module.instantiate(1_000, 0, List.of(host)).call("run"));
    assertThat(kind(trap)).isEqualTo(Kind.INTERRUPTED);
    assertThat(seen.get()).isEqualTo("interrupted");
  }

  @Test
  void aHostThatForgivesATrapOfAnInnerCallDoesNotReviveTheInstance() throws Exception {
    ModuleWriter writer = new ModuleWriter();
    int type = writer.type(new int[] {});
    int host = writer.importFunction("env", "f", type);
    writer.export("run", 0, writer.function(type, bytes(0x10, unsigned(host))));
    writer.export("trap", 0, writer.function(type, bytes(0x00)));
    WasmModule module = engine.load(writer.write());
    HostFunction forgiving =
        (instance, arguments) -> {
          try {
            return instance.call("trap");
          } catch (WasmTrapException e) {
            return 0;
          }
        };
    WasmTrapException trap =
        Guests.run(
            NEVER_MILLIS, () -> module.instantiate(1_000, 0, List.of(forgiving)).call("run"));
    assertThat(kind(trap)).isEqualTo(Kind.TRAP);
  }

  @Test
  void whatOneInstanceWritesNoOtherSees() throws Exception {
    ModuleWriter writer = new ModuleWriter().memory(1).data(100, new byte[] {1, 2, 3});
    writer.run("run", bytes(i32(101), i32(9), 0x3a, 0, 0));
    WasmModule module = engine.load(writer.export("memory", 2, 0).write());
    WasmInstance first = Guests.fresh(module);
    first.call("run");
    assertThat(first.read(100, 3)).containsExactly(1, 9, 3);
    assertThat(Guests.fresh(module).read(100, 3)).containsExactly(1, 2, 3);
  }

  @Test
  void numbersCrossTheBorderWithTheirSigns() throws Exception {
    ModuleWriter writer = new ModuleWriter();
    int type = writer.type(new int[] {I32, I64}, I32);
    int host = writer.importFunction("env", "f", type);
    writer.export("run", 0, writer.function(type, bytes(0x20, 0, 0x20, 1, 0x10, unsigned(host))));
    WasmModule module = engine.load(writer.write());
    HostFunction function =
        (instance, arguments) -> {
          assertThat(arguments).containsExactly(-5, Long.MIN_VALUE);
          return 0xffff_fffeL;
        };
    WasmInstance instance = module.instantiate(1_000, 0, List.of(function));
    assertThat(instance.call("run", 0xffff_fffbL, Long.MIN_VALUE)).isEqualTo(-2);
  }

  private static byte[] callsHost() {
    ModuleWriter writer = new ModuleWriter();
    int type = writer.type(new int[] {});
    int host = writer.importFunction("env", "f", type);
    writer.export("run", 0, writer.function(type, bytes(0x10, unsigned(host))));
    return writer.write();
  }

  private static @Nullable Kind end(WasmModule module, long fuel, long timeoutMillis) {
    WasmTrapException trap =
        Guests.run(
            timeoutMillis, () -> module.instantiate(fuel, Guests.PAGES_MAX, List.of()).call("run"));
    return kind(trap);
  }

  private static @Nullable Kind kind(@Nullable WasmTrapException trap) {
    return trap == null ? null : trap.kind();
  }
}
