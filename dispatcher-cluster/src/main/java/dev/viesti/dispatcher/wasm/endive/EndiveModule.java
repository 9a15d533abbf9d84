package dev.viesti.dispatcher.wasm.endive;

import dev.viesti.dispatcher.wasm.HostFunction;
import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.dispatcher.wasm.WasmTrapException.Kind;
import dev.viesti.dispatcher.wasm.metering.FuelInjector;
import dev.viesti.dispatcher.wasm.metering.ModuleLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import run.endive.runtime.Instance;
import run.endive.runtime.Machine;
import run.endive.wasm.WasmModule;
import run.endive.wasm.types.ActiveDataSegment;
import run.endive.wasm.types.DataSegment;
import run.endive.wasm.types.FunctionImport;
import run.endive.wasm.types.FunctionType;
import run.endive.wasm.types.Instruction;
import run.endive.wasm.types.OpCode;

/** A compiled module and what its instances have in common. */
final class EndiveModule implements dev.viesti.dispatcher.wasm.WasmModule {
  static final String IMPORT_MODULE = FuelInjector.IMPORT_MODULE;

  /** So much is left below the largest number that adding the price of growth stays a number. */
  private static final long FUEL_MAX = Long.MAX_VALUE / 4;

  /** An exported function. */
  record Function(int index, Signature signature) {}

  private final WasmModule metered;
  private final java.util.function.Function<Instance, Machine> machines;
  private final int fuelGlobal;
  private final int tableEntriesMax;
  private final boolean memoryExported;
  private final List<Import> imports;
  private final List<Export> exports;
  private final Map<String, Function> functions = new HashMap<>();
  private final byte @Nullable [][] image;
  private final boolean imageFilled;

  EndiveModule(
      ModuleLayout layout,
      WasmModule metered,
      java.util.function.Function<Instance, Machine> machines,
      int tableEntriesMax) {
    this.metered = metered;
    this.machines = machines;
    this.fuelGlobal = FuelInjector.fuelGlobal(layout);
    this.tableEntriesMax = tableEntriesMax;
    this.memoryExported = layout.memoryExported();
    this.imports = layout.imports();
    this.exports = layout.exports().stream().map(ModuleLayout.FunctionExport::export).toList();
    for (ModuleLayout.FunctionExport export : layout.exports()) {
      functions.put(
          export.export().name(), new Function(export.function(), export.export().signature()));
    }
    boolean hasMemory = metered.memorySection().isPresent();
    byte[][] filled = hasMemory ? filledImage(metered, layout.memoryPages()) : null;
    this.imageFilled = filled != null;
    this.image =
        filled == null && hasMemory ? GuestMemory.emptyImage(layout.memoryPages()) : filled;
  }

  /** The same with another memory, in which the data segments and more have been written. */
  EndiveModule(EndiveModule module, byte[][] image) {
    this.metered = module.metered;
    this.machines = module.machines;
    this.fuelGlobal = module.fuelGlobal;
    this.tableEntriesMax = module.tableEntriesMax;
    this.memoryExported = module.memoryExported;
    this.imports = module.imports;
    this.exports = module.exports;
    this.functions.putAll(module.functions);
    this.image = image;
    this.imageFilled = true;
  }

  /** The memory after all data segments, if they say by themselves where they go, and fit. */
  private static byte @Nullable [][] filledImage(WasmModule module, int pages) {
    GuestMemory memory = new GuestMemory(GuestMemory.emptyImage(pages), false, pages);
    for (DataSegment segment : module.dataSection().dataSegments()) {
      if (segment instanceof ActiveDataSegment active) {
        List<Instruction> offset = active.offsetInstructions();
        int size = active.data().length;
        if (offset.isEmpty() || offset.getFirst().opcode() != OpCode.I32_CONST) {
          return null;
        }
        if (offset.size() > 1 && offset.get(1).opcode() != OpCode.END) {
          return null;
        }
        int address = (int) offset.getFirst().operand(0);
        if (address < 0 || (long) address + size > (long) pages * GuestMemory.PAGE_SIZE) {
          return null;
        }
        memory.write(address, active.data(), 0, size);
      }
    }
    return memory.image();
  }

  WasmModule metered() {
    return metered;
  }

  java.util.function.Function<Instance, Machine> machines() {
    return machines;
  }

  int fuelGlobal() {
    return fuelGlobal;
  }

  int tableEntriesMax() {
    return tableEntriesMax;
  }

  FunctionType importType(int index) {
    FunctionImport imported = (FunctionImport) metered.importSection().getImport(index);
    return metered.typeSection().getType(imported.typeIndex());
  }

  @Nullable Function function(String export) {
    return functions.get(export);
  }

  @Nullable GuestMemory newMemory(int pagesMax) {
    if (image == null) {
      return null;
    }
    int declared = metered.memorySection().orElseThrow().getMemory(0).limits().maximumPages();
    return new GuestMemory(image, imageFilled, Math.min(pagesMax, declared));
  }

  @Override
  public List<Import> imports() {
    return imports;
  }

  @Override
  public List<Export> exports() {
    return exports;
  }

  @Override
  public boolean hasMemory() {
    return memoryExported;
  }

  @Override
  public WasmInstance instantiate(long fuel, int memoryPages, List<HostFunction> host)
      throws WasmTrapException {
    if (fuel < 0 || fuel > FUEL_MAX) {
      throw new IllegalArgumentException("fuel is 0 to " + FUEL_MAX);
    }
    if (host.size() != imports.size()) {
      throw new IllegalArgumentException(
          "there are %d imports, and %d host functions".formatted(imports.size(), host.size()));
    }
    int initial = image == null ? 0 : image.length / GuestMemory.CHUNKS_PER_PAGE;
    if (initial > memoryPages) {
      throw new WasmTrapException(
          Kind.MEMORY,
          "begins with %,d pages of memory and may have %,d".formatted(initial, memoryPages));
    }
    EndiveInstance instance = new EndiveInstance(this, fuel, memoryPages, host);
    instance.start();
    return instance;
  }
}
