package dev.viesti.dispatcher.wasm.metering;

import static dev.viesti.dispatcher.wasm.metering.ModuleScan.atMost;

import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wasm.WasmSettings;
import java.util.Map;

/** The part of {@link ModuleScan} for tables and what fills them. */
final class TableScan {
  private TableScan() {}

  static void scan(byte[] binary, Map<Integer, Span> sections, WasmSettings limits)
      throws InvalidModuleException {
    Span tables = sections.get(ModuleScan.TABLE);
    if (tables != null) {
      tables(new ByteReader(binary, tables), limits);
    }
    Span elements = sections.get(ModuleScan.ELEMENT);
    if (elements != null) {
      elements(new ByteReader(binary, elements), limits);
    }
  }

  private static void tables(ByteReader in, WasmSettings limits) throws InvalidModuleException {
    int count = atMost(in.count(), limits.tables().tablesMax(), "tables");
    long entries = 0;
    for (int i = 0; i < count; i++) {
      if (in.u8() != ValueTypes.FUNCREF) {
        throw new InvalidModuleException("has a table of something other than functions");
      }
      int flags = in.u8();
      if (flags > 1) {
        throw new InvalidModuleException("has a table that is shared or of 64 bits");
      }
      entries += Integer.toUnsignedLong(in.u32());
      if (flags == 1) {
        in.u32();
      }
    }
    refuseEntries(entries, limits, "tables");
  }

  private static void elements(ByteReader in, WasmSettings limits) throws InvalidModuleException {
    int count = atMost(in.count(), limits.counts().elementSegmentsMax(), "element segments");
    long entries = 0;
    for (int i = 0; i < count; i++) {
      int flags = in.u32();
      if (flags < 0 || flags > 7) {
        throw new InvalidModuleException("has an element segment of an unknown kind");
      }
      boolean active = (flags & 1) == 0;
      boolean explicit = (flags & 2) != 0;
      boolean expressions = (flags & 4) != 0;
      if (active && explicit) {
        in.u32();
      }
      if (active) {
        ConstantExpression.skip(in);
      }
      if (explicit || !active) {
        int kind = in.u8();
        if (kind != (expressions ? ValueTypes.FUNCREF : 0)) {
          throw new InvalidModuleException("has elements that are no functions");
        }
      }
      int length = in.count();
      entries += length;
      for (int j = 0; j < length; j++) {
        if (expressions) {
          ConstantExpression.skip(in);
        } else {
          in.u32();
        }
      }
    }
    refuseEntries(entries, limits, "element segments");
  }

  private static void refuseEntries(long entries, WasmSettings limits, String where)
      throws InvalidModuleException {
    if (entries > limits.tables().entriesMax()) {
      throw new InvalidModuleException(
          "has %,d entries in its %s, more than %,d"
              .formatted(entries, where, limits.tables().entriesMax()));
    }
  }
}
