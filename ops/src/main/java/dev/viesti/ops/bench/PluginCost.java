package dev.viesti.ops.bench;

import com.typesafe.config.ConfigFactory;
import dev.viesti.dispatcher.wasm.HostFunction;
import dev.viesti.dispatcher.wasm.WasmEngine;
import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmModule;
import dev.viesti.dispatcher.wasm.WasmSettings;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.dispatcher.wasm.endive.EndiveEngine;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * What the sandbox itself costs, without a database: processor time of a fresh instance and a small
 * handler, and the memory of a hundred modules.
 */
record PluginCost() implements Workload {
  /** Calls between two readings of the thread's clock, which is coarse on some systems. */
  private static final int CALLS = 100;

  private static final int ROUNDS = 300;

  /** Enough for the JVM to have compiled what it will compile. */
  private static final int WARM_UP_ROUNDS = 300;

  private static final int MODULES = 100;
  private static final long FUEL = 10_000_000;
  private static final int PAGES = 256;
  private static final byte[] TYPE = "order.created".getBytes(StandardCharsets.UTF_8);

  @Override
  public String name() {
    return "plugin-cost";
  }

  @Override
  public String description() {
    return "processor time of a fresh instance and a small handler; memory of 100 modules";
  }

  @Override
  public boolean isDefault() {
    return false;
  }

  @Override
  public List<Measured> measure(Setting setting) throws Exception {
    byte[] binary = binary();
    List<Measured> runs = new ArrayList<>();
    try (var engine =
        new EndiveEngine(WasmSettings.from(ConfigFactory.load(getClass().getClassLoader())))) {
      WasmModule module = engine.load(binary);
      rounds(module, WARM_UP_ROUNDS);
      for (int run = 0; run < setting.runs(); run++) {
        double[] micros = rounds(module, ROUNDS);
        Arrays.sort(micros);
        runs.add(
            Measured.nothing()
                .with("call_cpu_us", micros[micros.length / 2])
                .with("call_cpu_us_p95", micros[micros.length * 95 / 100])
                .withMib("modules_100_mib", memoryOfModules(engine, binary)));
      }
    }
    return runs;
  }

  private static byte[] binary() throws IOException {
    try (InputStream module = PluginCost.class.getResourceAsStream(Engine.PLUGIN + ".wasm")) {
      return Objects.requireNonNull(module).readAllBytes();
    }
  }

  /** Microseconds of processor time of one call, on this thread; one figure a round. */
  private static double[] rounds(WasmModule module, int rounds) throws WasmTrapException {
    ThreadMXBean clock = ManagementFactory.getThreadMXBean();
    List<HostFunction> host = module.imports().stream().map(PluginCost::answering).toList();
    byte[] data = new byte[Events.DATA_BYTES];
    var micros = new double[rounds];
    for (int round = 0; round < rounds; round++) {
      long before = clock.getCurrentThreadCpuTime();
      for (int call = 0; call < CALLS; call++) {
        handle(module, host, data);
      }
      micros[round] = (clock.getCurrentThreadCpuTime() - before) / 1e3 / CALLS;
    }
    return micros;
  }

  private static void handle(WasmModule module, List<HostFunction> host, byte[] data)
      throws WasmTrapException {
    WasmInstance instance = module.instantiate(FUEL, PAGES, host);
    int type = (int) instance.call("cabi_realloc", 0, 0, 1, TYPE.length);
    instance.write(type, TYPE);
    int payload = (int) instance.call("cabi_realloc", 0, 0, 1, data.length);
    instance.write(payload, data);
    int area = (int) instance.call("handle-event", type, TYPE.length, payload, data.length);
    if (instance.read(area, 1)[0] != 0) {
      throw new IllegalStateException("the handler has failed");
    }
  }

  /** A host that does what it must: the id of a delivery, or ok. */
  private static HostFunction answering(WasmModule.Import wanted) {
    byte[] id = "0190a000-0000-7000-8000-000000000001".getBytes(StandardCharsets.UTF_8);
    if (!wanted.name().equals("delivery-id")) {
      return (instance, arguments) -> {
        instance.writeByte((int) arguments[arguments.length - 1], 0);
        return 0;
      };
    }
    return (instance, arguments) -> {
      int area = (int) arguments[0];
      int at = (int) instance.call("cabi_realloc", 0, 0, 1, id.length);
      instance.write(at, id);
      instance.writeByte(area, 0);
      instance.writeByte(area + 4, 1);
      instance.writeInt(area + 8, at);
      instance.writeInt(area + 12, id.length);
      return 0;
    };
  }

  /** Heap and classes that are there because of them, in bytes. */
  private static long memoryOfModules(WasmEngine engine, byte[] binary) throws Exception {
    List<WasmModule> modules = new ArrayList<>();
    long before = used();
    for (int n = 0; n < MODULES; n++) {
      modules.add(engine.load(binary));
    }
    long after = used();
    if (modules.stream().anyMatch(module -> module.exports().isEmpty())) {
      throw new IllegalStateException("a module was not loaded");
    }
    return after - before;
  }

  private static long used() {
    System.gc();
    long used = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
      if (pool.getName().contains("Metaspace")) {
        used += pool.getUsage().getUsed();
      }
    }
    return used;
  }
}
