package dev.viesti.dispatcher.wasm.metering;

import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wasm.WasmModule;
import dev.viesti.dispatcher.wasm.WasmModule.ValueType;
import dev.viesti.dispatcher.wasm.WasmSettings;
import dev.viesti.dispatcher.wasm.metering.ModuleLayout.Body;
import dev.viesti.dispatcher.wasm.metering.ModuleLayout.FunctionExport;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Decides whether a binary is one that may be tried: no feature beyond those that metering knows,
 * and nothing larger than the limits. Does not replace validation, which checks types.
 *
 * <p>Allowed is WebAssembly 1.0 with sign extension, saturating conversions, several results, bulk
 * memory and references to functions. Only functions may be imported.
 */
public final class ModuleScan {
  /**
   * No module may export this: tools take it for the fuel that other hosts expose under the name.
   */
  public static final String RESERVED_EXPORT = "__fuel";

  /** A module is linked by one name of a function; longer ones only fill logs. Bytes. */
  private static final int NAME_BYTES_MAX = 1_024;

  /** What a JVM method takes (255 slots, two for each long) without boxing them in arrays. */
  private static final int PARAMETERS_MAX = 120;

  private static final int RESULTS_MAX = 16;

  private static final byte[] HEADER = {0, 'a', 's', 'm', 1, 0, 0, 0};

  static final int TYPE = 1;
  static final int IMPORT = 2;
  static final int FUNCTION = 3;
  static final int TABLE = 4;
  static final int MEMORY = 5;
  static final int GLOBAL = 6;
  static final int EXPORT = 7;
  static final int START = 8;
  static final int ELEMENT = 9;
  static final int CODE = 10;
  static final int DATA = 11;
  static final int DATA_COUNT = 12;

  private record FunctionType(List<Integer> parameters, List<Integer> results) {}

  private final byte[] binary;
  private final WasmSettings limits;
  private final Map<Integer, Span> sections = new HashMap<>();
  private final List<FunctionType> types = new ArrayList<>();
  private final List<WasmModule.Import> imports = new ArrayList<>();

  /** Of all functions, those imported first. */
  private final List<Integer> functionTypes = new ArrayList<>();

  private final List<FunctionExport> exports = new ArrayList<>();
  private final List<Body> bodies = new ArrayList<>();
  private boolean memoryExported;
  private int memories;
  private int memoryPages;
  private int globals;
  private final StackHeights heights = new StackHeights(new Signatures());
  private long instructions;
  private boolean refersToFunctions;

  private ModuleScan(byte[] binary, WasmSettings limits) {
    this.binary = binary;
    this.limits = limits;
  }

  /**
   * @throws InvalidModuleException saying which limit or rule it does not keep
   */
  public static ModuleLayout scan(byte[] binary, WasmSettings limits)
      throws InvalidModuleException {
    if (binary.length > limits.moduleBytesMax()) {
      throw new InvalidModuleException(
          "has %,d bytes, more than %,d".formatted(binary.length, limits.moduleBytesMax()));
    }
    return new ModuleScan(binary, limits).scan();
  }

  private ModuleLayout scan() throws InvalidModuleException {
    findSections();
    types();
    imports();
    functions();
    TableScan.scan(binary, sections, limits);
    memory();
    globals();
    exports();
    atMost(count(DATA), limits.counts().dataSegmentsMax(), "data segments");
    bodies();
    List<Integer> importTypes = List.copyOf(functionTypes.subList(0, imports.size()));
    return new ModuleLayout(
        List.copyOf(imports),
        List.copyOf(exports),
        memoryExported,
        memoryPages,
        new ModuleLayout.Internals(
            Map.copyOf(sections), importTypes, globals, List.copyOf(bodies), refersToFunctions));
  }

  private void findSections() throws InvalidModuleException {
    ByteReader in = new ByteReader(binary, 0, binary.length);
    for (byte expected : HEADER) {
      if (in.remaining() == 0 || in.u8() != expected) {
        throw new InvalidModuleException(
            "is no WebAssembly core module of version 1 (components must be unwrapped first)");
      }
    }
    while (in.remaining() > 0) {
      int id = in.u8();
      Span content = in.span(in.count());
      if (id > DATA_COUNT) {
        throw new InvalidModuleException("has a section of an unknown kind, %d".formatted(id));
      }
      if (id != 0 && sections.put(id, content) != null) {
        throw new InvalidModuleException("has section %d twice".formatted(id));
      }
    }
  }

  private void types() throws InvalidModuleException {
    if (!sections.containsKey(TYPE)) {
      return;
    }
    ByteReader in = new ByteReader(binary, sections.get(TYPE));
    int count = atMost(in.count(), limits.counts().typesMax(), "types");
    for (int i = 0; i < count; i++) {
      if (in.u8() != 0x60) {
        throw new InvalidModuleException("declares a type that is not a function's");
      }
      types.add(
          new FunctionType(
              valueTypes(in, PARAMETERS_MAX, "parameters of a function"),
              valueTypes(in, RESULTS_MAX, "results of a function")));
    }
  }

  private static List<Integer> valueTypes(ByteReader in, int max, String what)
      throws InvalidModuleException {
    int count = atMost(in.count(), max, what);
    List<Integer> types = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int type = in.u8();
      if (!ValueTypes.isAllowed(type)) {
        throw new InvalidModuleException(
            "uses the value type 0x%x, which is not allowed".formatted(type));
      }
      types.add(type);
    }
    return types;
  }

  private void imports() throws InvalidModuleException {
    if (!sections.containsKey(IMPORT)) {
      return;
    }
    ByteReader in = new ByteReader(binary, sections.get(IMPORT));
    int count = atMost(in.count(), limits.counts().importsMax(), "imports");
    for (int i = 0; i < count; i++) {
      String module = name(in);
      String name = name(in);
      if (in.u8() != 0) {
        throw new InvalidModuleException(
            "imports %s.%s, which is no function".formatted(module, name));
      }
      int type = in.u32();
      functionTypes.add(type);
      imports.add(
          new WasmModule.Import(
              module, name, signature(type, "import %s.%s".formatted(module, name))));
    }
  }

  private void functions() throws InvalidModuleException {
    if (!sections.containsKey(FUNCTION)) {
      return;
    }
    ByteReader in = new ByteReader(binary, sections.get(FUNCTION));
    int count = atMost(in.count(), limits.code().functionsMax(), "functions");
    for (int i = 0; i < count; i++) {
      functionTypes.add(in.u32());
    }
  }

  private void memory() throws InvalidModuleException {
    if (!sections.containsKey(MEMORY)) {
      return;
    }
    ByteReader in = new ByteReader(binary, sections.get(MEMORY));
    memories = atMost(in.count(), 1, "memories");
    if (memories == 0) {
      return;
    }
    int flags = in.u8();
    if (flags > 1) {
      throw new InvalidModuleException("has a memory that is shared or of 64 bits");
    }
    memoryPages = in.u32();
    if (memoryPages < 0 || memoryPages > limits.memoryPagesMax()) {
      throw new InvalidModuleException(
          "begins with %,d pages of memory, more than %,d"
              .formatted(Integer.toUnsignedLong(memoryPages), limits.memoryPagesMax()));
    }
  }

  private void globals() throws InvalidModuleException {
    Span section = sections.get(GLOBAL);
    if (section == null) {
      return;
    }
    ByteReader in = new ByteReader(binary, section);
    globals = atMost(in.count(), limits.counts().globalsMax(), "globals");
    for (int i = 0; i < globals; i++) {
      int type = in.u8();
      if (!ValueTypes.isAllowed(type)) {
        throw new InvalidModuleException(
            "has a global of type 0x%x, which is not allowed".formatted(type));
      }
      in.u8();
      ConstantExpression.skip(in);
    }
  }

  private void exports() throws InvalidModuleException {
    if (!sections.containsKey(EXPORT)) {
      return;
    }
    ByteReader in = new ByteReader(binary, sections.get(EXPORT));
    int count = atMost(in.count(), limits.counts().exportsMax(), "exports");
    Set<String> names = new HashSet<>();
    for (int i = 0; i < count; i++) {
      String name = name(in);
      int kind = in.u8();
      int index = in.u32();
      if (name.equals(RESERVED_EXPORT)) {
        throw new InvalidModuleException("exports %s, a reserved name".formatted(name));
      }
      if (!names.add(name)) {
        throw new InvalidModuleException("exports %s twice".formatted(name));
      }
      if (kind == 0) {
        if (index < 0 || index >= functionTypes.size()) {
          throw new InvalidModuleException("exports a function that does not exist: " + name);
        }
        WasmModule.Signature signature = signature(functionTypes.get(index), "export " + name);
        exports.add(new FunctionExport(new WasmModule.Export(name, signature), index));
      } else if (kind == 2 && index < memories && index >= 0 && name.equals("memory")) {
        memoryExported = true;
      }
    }
  }

  private void bodies() throws InvalidModuleException {
    int declared = functionTypes.size() - imports.size();
    Span section = sections.get(CODE);
    ByteReader in = section == null ? null : new ByteReader(binary, section);
    int count = in == null ? 0 : in.count();
    if (declared != count) {
      throw new InvalidModuleException(
          "declares %,d functions and has bodies of %,d".formatted(declared, count));
    }
    for (int i = 0; in != null && i < count; i++) {
      int length = atMost(in.count(), limits.code().functionBytesMax(), "bytes in a function");
      bodies.add(body(in.span(length), type(functionTypes.get(imports.size() + i))));
    }
  }

  private Body body(Span span, FunctionType type) throws InvalidModuleException {
    ByteReader in = new ByteReader(binary, span);
    int groups = in.count();
    int start = in.position();
    long locals = 0;
    for (int i = 0; i < groups; i++) {
      locals += Integer.toUnsignedLong(in.u32());
      if (!ValueTypes.isAllowed(in.u8())) {
        throw new InvalidModuleException("has a local of a type that is not allowed");
      }
    }
    long all = locals + type.parameters().size();
    if (all > limits.code().localsMax()) {
      throw new InvalidModuleException(
          "has a function with %,d locals, more than %,d"
              .formatted(all, limits.code().localsMax()));
    }
    // A local is code, too: each call sets it to zero.
    instructions += locals;
    Span code = new Span(in.position(), span.end());
    return new Body(
        type.parameters().size(),
        new Span(start, in.position()),
        groups,
        (int) locals,
        code,
        instructions(code));
  }

  private int instructions(Span code) throws InvalidModuleException {
    CodeReader reader = new CodeReader(binary, code);
    heights.beginFunction();
    int count = 0;
    while (reader.next()) {
      count++;
      if (reader.depth() > limits.code().nestingMax()) {
        throw new InvalidModuleException(
            "nests blocks more than %,d deep".formatted(limits.code().nestingMax()));
      }
      heights.follow(reader);
      refersToFunctions |= reader.opcode() == Opcode.REF_FUNC;
    }
    instructions += count;
    if (instructions > limits.code().instructionsMax()) {
      throw new InvalidModuleException(
          "has more than %,d instructions".formatted(limits.code().instructionsMax()));
    }
    return count;
  }

  private WasmModule.Signature signature(int type, String what) throws InvalidModuleException {
    FunctionType found = type(type);
    if (found.results().size() > 1) {
      throw new InvalidModuleException(what + " has more than one result");
    }
    List<ValueType> parameters = new ArrayList<>();
    for (int parameter : found.parameters()) {
      parameters.add(ValueTypes.number(parameter, what));
    }
    List<ValueType> results = new ArrayList<>();
    for (int result : found.results()) {
      results.add(ValueTypes.number(result, what));
    }
    return new WasmModule.Signature(List.copyOf(parameters), List.copyOf(results));
  }

  private final class Signatures implements StackHeights.Types {
    @Override
    public int parameters(int type) throws InvalidModuleException {
      return type(type).parameters().size();
    }

    @Override
    public int results(int type) throws InvalidModuleException {
      return type(type).results().size();
    }

    @Override
    public int ofFunction(int function) throws InvalidModuleException {
      if (function < 0 || function >= functionTypes.size()) {
        throw new InvalidModuleException("calls a function that does not exist");
      }
      return functionTypes.get(function);
    }
  }

  private FunctionType type(int index) throws InvalidModuleException {
    if (index < 0 || index >= types.size()) {
      throw new InvalidModuleException("uses a type that it does not declare");
    }
    return types.get(index);
  }

  private int count(int section) throws InvalidModuleException {
    Span span = sections.get(section);
    return span == null ? 0 : new ByteReader(binary, span).count();
  }

  private static String name(ByteReader in) throws InvalidModuleException {
    String name = in.name();
    if (name.length() > NAME_BYTES_MAX) {
      throw new InvalidModuleException(
          "has a name of %,d characters, more than %,d".formatted(name.length(), NAME_BYTES_MAX));
    }
    return name;
  }

  static int atMost(int count, int max, String what) throws InvalidModuleException {
    if (count > max) {
      throw new InvalidModuleException("has %,d %s, more than %,d".formatted(count, what, max));
    }
    return count;
  }
}
