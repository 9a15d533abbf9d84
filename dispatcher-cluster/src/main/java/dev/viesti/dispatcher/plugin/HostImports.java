package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.wasm.HostFunction;
import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmModule.Import;
import dev.viesti.dispatcher.wasm.WasmModule.Signature;
import dev.viesti.dispatcher.wasm.WasmModule.ValueType;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.dispatcher.wasm.WasmTrapException.Kind;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The host API as a module imports it: {@code docs/plugin/viesti-plugin.wit}, function for
 * function, through the canonical ABI. Each function returns a {@code result} with an error text,
 * so each has a return area as its last parameter.
 */
final class HostImports {
  /** A parameter; texts and bytes are two core values. */
  private enum Param {
    TEXT,
    BYTES,
    U32,
    U64,
    LEVEL
  }

  /** What the {@code ok} case carries. */
  private enum Ok {
    NOTHING,
    TEXT,
    TEXTS,
    OPTION_TEXT,
    OPTION_BYTES,
    FLAG,
    U32,
    U64
  }

  /** Does it; the result is of the kind that {@link Ok} says. */
  private interface Body {
    @Nullable Object call(HostApi api, Arguments arguments) throws HostException, WasmTrapException;
  }

  /** Arguments by position. */
  private record Arguments(List<Object> values) {
    String text(int at) {
      return (String) values.get(at);
    }

    byte[] bytes(int at) {
      return (byte[]) values.get(at);
    }

    long number(int at) {
      return (Long) values.get(at);
    }
  }

  private record Function(List<Param> params, Ok ok, Body body) {}

  /** Of the package in the WIT file; its version is part of every module's name. */
  private static final String PACKAGE = "viesti:plugin/";

  private static final String VERSION = "@1.0.0";

  /** What one call costs besides what it moves: some hundred instructions of ours. */
  private static final long CALL_FUEL = 500;

  /** A sentence. */
  private static final int ABORT_BYTES_MAX = 1_000;

  private static final List<String> LEVELS = List.of("trace", "debug", "info", "warn", "error");

  private static final Map<String, Function> FUNCTIONS = functions();

  private HostImports() {}

  private static Map<String, Function> functions() {
    var all = new HashMap<String, Function>();
    put(
        all,
        "kv",
        "get",
        Ok.OPTION_BYTES,
        (api, in) -> api.kvGet(in.text(0), in.text(1)),
        Param.TEXT,
        Param.TEXT);
    put(
        all,
        "kv",
        "put",
        Ok.NOTHING,
        (api, in) -> {
          api.kvPut(in.text(0), in.text(1), in.bytes(2));
          return null;
        },
        Param.TEXT,
        Param.TEXT,
        Param.BYTES);
    put(
        all,
        "kv",
        "delete",
        Ok.FLAG,
        (api, in) -> api.kvDelete(in.text(0), in.text(1)),
        Param.TEXT,
        Param.TEXT);
    put(
        all,
        "kv",
        "list",
        Ok.TEXTS,
        (api, in) -> api.kvList(in.text(0), in.text(1), in.text(2), in.number(3)),
        Param.TEXT,
        Param.TEXT,
        Param.TEXT,
        Param.U32);
    put(
        all,
        "entities",
        "insert",
        Ok.TEXT,
        (api, in) -> api.entityInsert(in.text(0), in.text(1)),
        Param.TEXT,
        Param.TEXT);
    put(
        all,
        "entities",
        "update",
        Ok.U64,
        (api, in) -> api.entityUpdate(in.text(0), in.text(1), in.number(2), in.text(3)),
        Param.TEXT,
        Param.TEXT,
        Param.U64,
        Param.TEXT);
    put(
        all,
        "entities",
        "delete",
        Ok.NOTHING,
        (api, in) -> {
          api.entityDelete(in.text(0), in.text(1), in.number(2));
          return null;
        },
        Param.TEXT,
        Param.TEXT,
        Param.U64);
    put(
        all,
        "entities",
        "query",
        Ok.TEXT,
        (api, in) -> api.entityQuery(in.text(0), in.text(1)),
        Param.TEXT,
        Param.TEXT);
    put(all, "numbering", "next", Ok.TEXT, (api, in) -> api.numberingNext(in.text(0)), Param.TEXT);
    put(all, "config", "get", Ok.OPTION_TEXT, (api, in) -> api.configGet(in.text(0)), Param.TEXT);
    put(
        all,
        "events",
        "publish",
        Ok.TEXT,
        (api, in) -> api.publish(in.text(0), in.text(1), in.bytes(2)),
        Param.TEXT,
        Param.TEXT,
        Param.BYTES);
    put(
        all,
        "log",
        "write",
        Ok.NOTHING,
        (api, in) -> {
          api.log(in.text(0), in.text(1));
          return null;
        },
        Param.LEVEL,
        Param.TEXT);
    put(all, "context", "app", Ok.TEXT, (api, in) -> api.context().app().value());
    put(all, "context", "principal", Ok.OPTION_TEXT, (api, in) -> api.context().principal());
    put(all, "context", "permissions", Ok.TEXTS, (api, in) -> api.permissions());
    put(
        all,
        "context",
        "delivery-id",
        Ok.OPTION_TEXT,
        (api, in) -> {
          var delivery = api.context().delivery();
          return delivery == null ? null : delivery.toString();
        });
    put(all, "context", "attempt", Ok.U32, (api, in) -> (long) api.context().attempt());
    put(all, "context", "now", Ok.U64, (api, in) -> api.context().now().toEpochMilli());
    return Map.copyOf(all);
  }

  private static void put(
      Map<String, Function> all, String of, String name, Ok ok, Body body, Param... params) {
    all.put(PACKAGE + of + VERSION + " " + name, new Function(List.of(params), ok, body));
  }

  /**
   * Whether the host has what a module wants.
   *
   * @throws InvalidModuleException naming the import that it does not have
   */
  static void check(Import wanted) throws InvalidModuleException {
    Function function = FUNCTIONS.get(key(wanted));
    if (isAbort(wanted)) {
      return;
    }
    if (function == null) {
      throw new InvalidModuleException(
          "imports %s.%s, which is no part of the host API %s*%s"
              .formatted(wanted.module(), wanted.name(), PACKAGE, VERSION));
    }
    Signature signature = signature(function);
    if (!signature.equals(wanted.signature())) {
      throw new InvalidModuleException(
          "imports %s.%s with the type %s, but it has %s"
              .formatted(wanted.module(), wanted.name(), wanted.signature(), signature));
    }
  }

  private static String key(Import wanted) {
    return wanted.module() + " " + wanted.name();
  }

  private static Signature signature(Function function) {
    List<ValueType> core = new ArrayList<>();
    for (Param param : function.params()) {
      switch (param) {
        case TEXT, BYTES -> core.addAll(List.of(ValueType.I32, ValueType.I32));
        case U32, LEVEL -> core.add(ValueType.I32);
        case U64 -> core.add(ValueType.I64);
      }
    }
    core.add(ValueType.I32); // where the result goes
    return new Signature(List.copyOf(core), List.of());
  }

  /** What AssemblyScript calls where others have {@code unreachable}. */
  private static boolean isAbort(Import wanted) {
    return wanted.module().equals("env")
        && wanted.name().equals("abort")
        && wanted
            .signature()
            .equals(
                new Signature(
                    List.of(ValueType.I32, ValueType.I32, ValueType.I32, ValueType.I32),
                    List.of()));
  }

  /** The functions that a module imports, for one call; {@link #check} has approved of each. */
  static List<HostFunction> bind(List<Import> imports, HostApi api) {
    List<HostFunction> bound = new ArrayList<>(imports.size());
    for (Import wanted : imports) {
      if (isAbort(wanted)) {
        bound.add(HostImports::abort);
      } else {
        Function function = Objects.requireNonNull(FUNCTIONS.get(key(wanted)));
        bound.add((instance, arguments) -> call(function, api, instance, arguments));
      }
    }
    return bound;
  }

  private static long call(Function function, HostApi api, WasmInstance instance, long[] core)
      throws WasmTrapException {
    var guest = new Guest(instance);
    List<Object> values = new ArrayList<>(function.params().size());
    instance.charge(CALL_FUEL);
    int at = 0;
    for (Param param : function.params()) {
      switch (param) {
        case TEXT -> {
          values.add(guest.text(core[at], core[at + 1]));
          at += 2;
        }
        case BYTES -> {
          values.add(guest.bytes(core[at], core[at + 1]));
          at += 2;
        }
        case U32 -> values.add(core[at++] & 0xffff_ffffL);
        case U64 -> values.add(core[at++]);
        case LEVEL -> values.add(level(core[at++]));
      }
    }
    int area = (int) core[at];
    guest.requireAligned(area, alignment(function.ok()));
    try {
      Object ok = function.body().call(api, new Arguments(values));
      guest.putByte(area, 0);
      putOk(guest, area, function.ok(), ok);
    } catch (HostException refused) {
      guest.putByte(area, 1);
      guest.putText(area + alignment(function.ok()), String.valueOf(refused.getMessage()));
    }
    return 0;
  }

  private static String level(long level) throws WasmTrapException {
    if (level < 0 || level >= LEVELS.size()) {
      throw Guest.broken("there is no level " + level);
    }
    return LEVELS.get((int) level);
  }

  /** Of the larger case; the error is a text, which is aligned to words. */
  private static int alignment(Ok ok) {
    return ok == Ok.U64 ? Long.BYTES : Integer.BYTES;
  }

  private static void putOk(Guest guest, int area, Ok kind, @Nullable Object ok)
      throws WasmTrapException {
    int at = area + alignment(kind);
    switch (kind) {
      case NOTHING -> {}
      case TEXT -> guest.putText(at, (String) Objects.requireNonNull(ok));
      case TEXTS -> guest.putTexts(at, texts(Objects.requireNonNull(ok)));
      case FLAG -> guest.putByte(at, Boolean.TRUE.equals(ok) ? 1 : 0);
      case U32 -> guest.putWord(at, (int) number(ok));
      case U64 -> guest.putLong(at, number(ok));
      case OPTION_TEXT, OPTION_BYTES -> {
        guest.putByte(at, ok == null ? 0 : 1);
        if (ok instanceof String text) {
          guest.putText(at + Integer.BYTES, text);
        } else if (ok instanceof byte[] bytes) {
          guest.putBytes(at + Integer.BYTES, bytes);
        }
      }
    }
  }

  private static long number(@Nullable Object ok) {
    return (Long) Objects.requireNonNull(ok);
  }

  private static List<String> texts(Object ok) {
    return ((List<?>) ok).stream().map(String.class::cast).toList();
  }

  /** Its message is UTF-16, with the length in bytes before it. */
  private static long abort(WasmInstance instance, long[] core) throws WasmTrapException {
    int message = (int) core[0];
    String text = "";
    if (message != 0) {
      int length = instance.readInt(message - Integer.BYTES);
      text =
          new String(
              instance.read(message, Math.clamp(length, 0, ABORT_BYTES_MAX)),
              StandardCharsets.UTF_16LE);
    }
    throw new WasmTrapException(Kind.TRAP, "abort: %s at %d:%d".formatted(text, core[2], core[3]));
  }
}
