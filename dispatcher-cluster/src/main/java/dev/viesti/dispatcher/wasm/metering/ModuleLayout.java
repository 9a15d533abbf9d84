package dev.viesti.dispatcher.wasm.metering;

import dev.viesti.dispatcher.wasm.WasmModule;
import java.util.List;
import java.util.Map;

/**
 * What {@link ModuleScan} found in a binary.
 *
 * @param imports functions, in order
 * @param exports of functions
 * @param memoryExported whether a memory is exported as {@code memory}
 * @param memoryPages with which its memory begins; 0 if it has none
 * @param internals for the passes of this package
 */
public record ModuleLayout(
    List<WasmModule.Import> imports,
    List<FunctionExport> exports,
    boolean memoryExported,
    int memoryPages,
    Internals internals) {

  /**
   * An exported function.
   *
   * @param function its index, imports counted first
   */
  public record FunctionExport(WasmModule.Export export, int function) {}

  /**
   * Where things are.
   *
   * @param sections contents by id, without custom ones
   * @param importTypes of functions, by index
   * @param globals how many there are
   * @param bodies by index of functions, imports not counted
   * @param refersToFunctions whether code takes references, which must be declared by exports
   */
  record Internals(
      Map<Integer, Span> sections,
      List<Integer> importTypes,
      int globals,
      List<Body> bodies,
      boolean refersToFunctions) {}

  /**
   * One function.
   *
   * @param parameters how many it has
   * @param locals the groups of its locals, without their count
   * @param localGroups how many groups
   * @param localCount how many locals, parameters not counted
   */
  record Body(
      int parameters, Span locals, int localGroups, int localCount, Span code, int instructions) {}

  /** Instructions of each function with a body, in order: what decides how it is compiled. */
  public int[] instructionCounts() {
    return internals.bodies().stream().mapToInt(Body::instructions).toArray();
  }
}
