package dev.viesti.dispatcher.wasm.endive;

import dev.viesti.dispatcher.wasm.HostFunction;
import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmModule.Signature;
import dev.viesti.dispatcher.wasm.WasmModule.ValueType;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.dispatcher.wasm.WasmTrapException.Kind;
import java.util.List;
import org.jspecify.annotations.Nullable;
import run.endive.runtime.GlobalInstance;
import run.endive.runtime.ImportFunction;
import run.endive.runtime.ImportValues;
import run.endive.runtime.Instance;
import run.endive.runtime.WasmInterruptedException;
import run.endive.wasm.types.FunctionType;
import run.endive.wasm.types.MutabilityType;
import run.endive.wasm.types.Table;
import run.endive.wasm.types.ValType;

/** One instance. What ends a call, whatever it is, becomes a {@link WasmTrapException} here. */
final class EndiveInstance implements WasmInstance {
  /**
   * Calls of the module within calls of the host within calls of the module. A host function calls
   * back to get memory; nobody needs more than a few.
   */
  private static final int CALL_BACKS_MAX = 16;

  private final EndiveModule module;
  private final long budget;
  private final List<HostFunction> host;
  private final @Nullable GuestMemory memory;
  private final GlobalInstance fuel;
  private @Nullable Instance instance;
  private int globalsMade;
  private int depth;
  private @Nullable WasmTrapException ended;

  EndiveInstance(EndiveModule module, long budget, int memoryPages, List<HostFunction> host) {
    this.module = module;
    this.budget = budget;
    this.host = host;
    this.memory = module.newMemory(memoryPages);
    this.fuel =
        GlobalInstance.builder()
            .valueLow(budget)
            .valType(ValType.I64)
            .mutabilityType(MutabilityType.Var)
            .build();
  }

  /** Runs what the module does to begin. */
  void start() throws WasmTrapException {
    depth++;
    try {
      Instance.Builder builder =
          Instance.builder(module.metered())
              .withMachineFactory(module.machines())
              .withGlobalFactory(this::global)
              .withTableFactory(this::table)
              .withImportValues(imports())
              .withStart(false);
      GuestMemory own = memory;
      if (own != null) {
        builder.withMemoryFactory(limits -> own);
      }
      instance = builder.build();
    } catch (Throwable failure) {
      throw end(failure);
    } finally {
      depth--;
    }
    checkFuel();
  }

  private GlobalInstance global(long low, long high, ValType type, MutabilityType mutability) {
    if (globalsMade++ == module.fuelGlobal()) {
      return fuel;
    }
    return GlobalInstance.builder()
        .valueLow(low)
        .valueHigh(high)
        .valType(type)
        .mutabilityType(mutability)
        .build();
  }

  private GuestTable table(Table declared, int initialValue) {
    return new GuestTable(declared, initialValue, module.tableEntriesMax());
  }

  private ImportValues imports() {
    ImportValues.Builder values = ImportValues.builder();
    for (int i = 0; i < host.size(); i++) {
      HostFunction function = host.get(i);
      Signature signature = module.imports().get(i).signature();
      FunctionType type = module.importType(i);
      values.addFunction(
          new ImportFunction(
              EndiveModule.IMPORT_MODULE,
              Integer.toString(i),
              type,
              (caller, arguments) -> callHost(function, signature, arguments)));
    }
    return values.build();
  }

  private long @Nullable [] callHost(HostFunction function, Signature signature, long[] arguments) {
    normalize(arguments, signature.parameters());
    long result;
    try {
      result = function.call(this, arguments);
    } catch (Throwable failure) {
      throw new HostFailure(hostEnd(failure));
    }
    WasmTrapException before = ended;
    if (before != null) {
      // The host called back, and went on although that call had failed.
      throw new HostFailure(before);
    }
    if (signature.results().isEmpty()) {
      return null;
    }
    return new long[] {normalize(result, signature.results().getFirst())};
  }

  @Override
  public long call(String export, long... arguments) throws WasmTrapException {
    checkUsable();
    EndiveModule.Function function = module.function(export);
    if (function == null) {
      throw new WasmTrapException(Kind.CONTRACT, "exports no function " + export);
    }
    Signature signature = function.signature();
    if (arguments.length != signature.parameters().size()) {
      throw new WasmTrapException(
          Kind.CONTRACT,
          "%s takes %d arguments, not %d"
              .formatted(export, signature.parameters().size(), arguments.length));
    }
    if (depth >= CALL_BACKS_MAX) {
      throw end(new WasmTrapException(Kind.STACK, "the host and the module call each other"));
    }
    long[] results;
    depth++;
    try {
      results = running().getMachine().call(function.index(), arguments.clone());
    } catch (Throwable failure) {
      throw end(failure);
    } finally {
      depth--;
    }
    checkFuel();
    return results == null || signature.results().isEmpty()
        ? 0
        : normalize(results[0], signature.results().getFirst());
  }

  private static void normalize(long[] values, List<ValueType> types) {
    for (int i = 0; i < values.length; i++) {
      values[i] = normalize(values[i], types.get(i));
    }
  }

  /** Interpreted code may leave anything in the upper half of what has 32 bits. */
  private static long normalize(long value, ValueType type) {
    return switch (type) {
      case I32, F32 -> (int) value;
      case I64, F64 -> value;
    };
  }

  private WasmTrapException end(Throwable failure) {
    WasmTrapException trap = reason(failure);
    if (ended == null) {
      ended = trap;
    }
    return trap;
  }

  private WasmTrapException reason(Throwable failure) {
    if (failure instanceof HostFailure host) {
      return host.trap();
    }
    if (failure instanceof WasmTrapException trap) {
      return trap;
    }
    if (isInterruption(failure)) {
      return new WasmTrapException(Kind.INTERRUPTED, "was interrupted");
    }
    if (failure instanceof StackOverflowError || failure.getCause() instanceof StackOverflowError) {
      return new WasmTrapException(Kind.STACK, "calls are nested too deeply");
    }
    if (failure instanceof OutOfMemoryError) {
      return new WasmTrapException(Kind.MEMORY, "there is no memory left on this node");
    }
    if (fuel.getValue() < 0) {
      return outOfFuel();
    }
    if (failure instanceof IndexOutOfBoundsException) {
      return new WasmTrapException(Kind.TRAP, "out of bounds memory access");
    }
    if (failure instanceof RuntimeException) {
      return new WasmTrapException(Kind.TRAP, String.valueOf(failure.getMessage()));
    }
    if (failure instanceof VirtualMachineError broken) {
      throw broken;
    }
    return new WasmTrapException(Kind.HOST, "the runtime failed: " + failure);
  }

  private WasmTrapException hostEnd(Throwable failure) {
    if (failure instanceof WasmTrapException trap) {
      return trap;
    }
    if (failure instanceof InterruptedException) {
      Thread.currentThread().interrupt();
    }
    if (isInterruption(failure)) {
      return new WasmTrapException(Kind.INTERRUPTED, "was interrupted in a call of the host");
    }
    if (failure instanceof StackOverflowError) {
      return new WasmTrapException(Kind.STACK, "no stack was left for a call of the host");
    }
    return new WasmTrapException(Kind.HOST, "a call of the host failed: " + failure);
  }

  private static boolean isInterruption(Throwable failure) {
    return failure instanceof WasmInterruptedException || Thread.currentThread().isInterrupted();
  }

  private void checkFuel() throws WasmTrapException {
    if (fuel.getValue() < 0) {
      throw end(outOfFuel());
    }
  }

  private WasmTrapException outOfFuel() {
    return new WasmTrapException(Kind.FUEL, "used up its fuel of %,d".formatted(budget));
  }

  private void checkUsable() throws WasmTrapException {
    WasmTrapException trap = ended;
    if (trap != null) {
      throw new WasmTrapException(trap.kind(), "has ended before: " + trap.getMessage());
    }
  }

  private Instance running() throws WasmTrapException {
    Instance running = instance;
    if (running == null) {
      throw new WasmTrapException(Kind.CONTRACT, "is called back while it starts");
    }
    return running;
  }

  private GuestMemory memory(int address, int length) throws WasmTrapException {
    checkUsable();
    GuestMemory own = memory;
    if (own == null) {
      throw new WasmTrapException(Kind.CONTRACT, "has no memory");
    }
    if (address < 0
        || length < 0
        || (long) address + length > (long) own.pages() * GuestMemory.PAGE_SIZE) {
      throw new WasmTrapException(
          Kind.CONTRACT,
          "%,d bytes at %,d are not in its memory"
              .formatted(length, Integer.toUnsignedLong(address)));
    }
    return own;
  }

  @Override
  public byte[] read(int address, int length) throws WasmTrapException {
    return memory(address, length).readBytes(address, length);
  }

  @Override
  public void write(int address, byte[] bytes) throws WasmTrapException {
    memory(address, bytes.length).write(address, bytes, 0, bytes.length);
  }

  @Override
  public int readInt(int address) throws WasmTrapException {
    return memory(address, Integer.BYTES).readInt(address);
  }

  @Override
  public void writeByte(int address, int value) throws WasmTrapException {
    memory(address, 1).writeByte(address, (byte) value);
  }

  @Override
  public void writeInt(int address, int value) throws WasmTrapException {
    memory(address, Integer.BYTES).writeI32(address, value);
  }

  @Override
  public void writeLong(int address, long value) throws WasmTrapException {
    memory(address, Long.BYTES).writeLong(address, value);
  }

  @Override
  public void charge(long amount) throws WasmTrapException {
    checkUsable();
    if (amount < 0) {
      throw new IllegalArgumentException("fuel is 0 or more");
    }
    long left = fuel.getValue();
    fuel.setValue(amount > left ? -1 : left - amount);
    checkFuel();
  }

  @Override
  public long fuelUsed() {
    return Math.min(budget, budget - fuel.getValue());
  }

  @Override
  public EndiveModule freeze() throws WasmTrapException {
    GuestMemory own = memory(0, 0);
    if (depth > 0) {
      throw new WasmTrapException(Kind.CONTRACT, "cannot be frozen in the middle of a call");
    }
    var unused = end(new WasmTrapException(Kind.CONTRACT, "was frozen"));
    return new EndiveModule(module, own.image());
  }

  @Override
  public int peakPages() {
    return memory == null ? 0 : memory.pages();
  }
}
