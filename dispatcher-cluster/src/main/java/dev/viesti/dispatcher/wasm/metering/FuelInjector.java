package dev.viesti.dispatcher.wasm.metering;

import static dev.viesti.dispatcher.wasm.metering.ModuleScan.*;

import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wasm.metering.ModuleLayout.Body;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Builds fuel metering into a module. Appends one mutable global of type {@code i64}, the fuel that
 * is left, and code to every function that takes from it. Nothing is renumbered.
 *
 * <p>Must only be given binaries that a validator has accepted: a module that already uses the
 * index that the new global gets would otherwise reach its own fuel.
 *
 * <p>Also drops custom sections, gives imports their position for a name (so two of the same name
 * stay two), and drops exports, which are known by index from {@link ModuleLayout}.
 */
public final class FuelInjector {
  /** The module name of all imports of a metered binary; a name there is a position, in decimal. */
  public static final String IMPORT_MODULE = "h";

  private static final int[] ORDER = {
    TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, START, ELEMENT, DATA_COUNT, CODE, DATA
  };

  private FuelInjector() {}

  /** Index of the global that holds the fuel: the last one of the metered module. */
  public static int fuelGlobal(ModuleLayout layout) {
    return layout.internals().globals();
  }

  /**
   * @param binary the one that was scanned
   * @return a new binary; its global begins with 0, whoever instantiates it must fill it
   */
  public static byte[] inject(byte[] binary, ModuleLayout layout) throws InvalidModuleException {
    ByteWriter out = new ByteWriter(binary.length * 2);
    out.bytes(binary, 0, 8);
    Map<Integer, Span> sections = layout.internals().sections();
    for (int id : ORDER) {
      Span span = sections.get(id);
      if (id == GLOBAL) {
        section(out, id, globals(binary, span, layout));
      } else if (span != null && id == IMPORT) {
        section(out, id, imports(layout));
      } else if (span != null && id == CODE) {
        section(out, id, code(binary, layout));
      } else if (span != null && (id != EXPORT || layout.internals().refersToFunctions())) {
        section(out, id, new ByteWriter(span.length()).bytes(binary, span));
      }
    }
    return out.toByteArray();
  }

  private static void section(ByteWriter out, int id, ByteWriter content) {
    out.u8(id).u32(content.length()).all(content);
  }

  private static ByteWriter globals(byte[] binary, @Nullable Span span, ModuleLayout layout)
      throws InvalidModuleException {
    ByteWriter out = new ByteWriter(64).u32(layout.internals().globals() + 1);
    if (span != null) {
      ByteReader in = new ByteReader(binary, span);
      in.count();
      out.bytes(binary, in.position(), span.end());
    }
    return out.u8(ValueTypes.I64).u8(1).u8(Opcode.I64_CONST).u8(0).u8(Opcode.END);
  }

  private static ByteWriter imports(ModuleLayout layout) {
    ByteWriter out = new ByteWriter(64).u32(layout.imports().size());
    for (int i = 0; i < layout.imports().size(); i++) {
      text(out, IMPORT_MODULE);
      text(out, Integer.toString(i));
      out.u8(0).u32(layout.internals().importTypes().get(i));
    }
    return out;
  }

  private static void text(ByteWriter out, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    out.u32(bytes.length).bytes(bytes, 0, bytes.length);
  }

  private static ByteWriter code(byte[] binary, ModuleLayout layout) throws InvalidModuleException {
    ByteWriter out = new ByteWriter(binary.length * 2);
    out.u32(layout.internals().bodies().size());
    ByteWriter function = new ByteWriter(1_024);
    for (Body body : layout.internals().bodies()) {
      function.clear();
      new FunctionMeter(binary, body, fuelGlobal(layout), function).write();
      out.u32(function.length()).all(function);
    }
    return out;
  }
}
