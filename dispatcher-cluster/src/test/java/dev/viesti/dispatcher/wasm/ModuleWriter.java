package dev.viesti.dispatcher.wasm;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Writes binaries that nobody's compiler would write. */
public final class ModuleWriter {
  public static final int I32 = 0x7f;
  public static final int I64 = 0x7e;
  public static final int FUNCREF = 0x70;

  private final Map<Integer, List<byte[]>> entries = new TreeMap<>();
  private int imported;
  private int defined;

  /** Bytes, and numbers as bytes. */
  public static byte[] bytes(Object... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (Object part : parts) {
      if (part instanceof Integer number) {
        out.write(number);
      } else {
        out.writeBytes((byte[]) part);
      }
    }
    return out.toByteArray();
  }

  public static byte[] unsigned(long value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    long rest = value;
    while (rest > 0x7f) {
      out.write((int) (rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    out.write((int) rest);
    return out.toByteArray();
  }

  public static byte[] signed(long value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    long rest = value;
    while (rest < -64 || rest > 63) {
      out.write((int) (rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    out.write((int) (rest & 0x7f));
    return out.toByteArray();
  }

  public static byte[] repeat(int times, byte[] code) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < times; i++) {
      out.writeBytes(code);
    }
    return out.toByteArray();
  }

  public static byte[] i32(int value) {
    return bytes(0x41, signed(value));
  }

  public static byte[] text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return bytes(unsigned(utf8.length), utf8);
  }

  private int add(int section, byte[] entry) {
    List<byte[]> list = entries.computeIfAbsent(section, id -> new ArrayList<>());
    list.add(entry);
    return list.size() - 1;
  }

  public int type(int[] parameters, int... results) {
    byte[] in = new byte[parameters.length];
    byte[] out = new byte[results.length];
    for (int i = 0; i < in.length; i++) {
      in[i] = (byte) parameters[i];
    }
    for (int i = 0; i < out.length; i++) {
      out[i] = (byte) results[i];
    }
    return add(1, bytes(0x60, unsigned(in.length), in, unsigned(out.length), out));
  }

  public int importFunction(String module, String name, int type) {
    add(2, bytes(text(module), text(name), 0, unsigned(type)));
    return imported++;
  }

  /** An import of another kind: its kind and type as bytes. */
  public ModuleWriter importOther(byte[] description) {
    add(2, bytes(text("env"), text("it"), description));
    return this;
  }

  /**
   * @param locals in groups, without their count; see {@link #locals}
   * @param code without the last end
   */
  public int function(int type, byte[] locals, byte[] code) {
    add(3, unsigned(type));
    byte[] body = bytes(locals, code, 0x0b);
    add(10, bytes(unsigned(body.length), body));
    return imported + defined++;
  }

  public int function(int type, byte[] code) {
    return function(type, bytes(0), code);
  }

  /** A function of no parameters and results, exported. */
  public int run(String export, byte[] code) {
    int function = function(type(new int[] {}), code);
    export(export, 0, function);
    return function;
  }

  /** As {@link #run}, when nobody wants to know its index. */
  public ModuleWriter alsoRun(String export, byte[] code) {
    run(export, code);
    return this;
  }

  public static byte[] locals(long count, int type) {
    return bytes(1, unsigned(count), type);
  }

  public ModuleWriter table(long min) {
    add(4, bytes(FUNCREF, 0, unsigned(min)));
    return this;
  }

  public ModuleWriter memory(long min) {
    return memory(bytes(0, unsigned(min)));
  }

  public ModuleWriter memory(byte[] limits) {
    add(5, limits);
    return this;
  }

  public int global(int type, byte[] initial) {
    return add(6, bytes(type, 1, initial, 0x0b));
  }

  public ModuleWriter export(String name, int kind, int index) {
    add(7, bytes(text(name), kind, unsigned(index)));
    return this;
  }

  public ModuleWriter start(int function) {
    add(8, unsigned(function));
    return this;
  }

  public ModuleWriter elements(int offset, int... functions) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(bytes(0, i32(offset), 0x0b, unsigned(functions.length)));
    for (int function : functions) {
      out.writeBytes(unsigned(function));
    }
    add(9, out.toByteArray());
    return this;
  }

  public ModuleWriter data(int offset, byte[] data) {
    add(11, bytes(0, i32(offset), 0x0b, unsigned(data.length), data));
    return this;
  }

  public byte[] write() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(bytes(0, (int) 'a', (int) 's', (int) 'm', 1, 0, 0, 0));
    entries.forEach(
        (id, list) -> {
          ByteArrayOutputStream content = new ByteArrayOutputStream();
          if (id != 8) {
            content.writeBytes(unsigned(list.size()));
          }
          list.forEach(content::writeBytes);
          out.writeBytes(bytes(id, unsigned(content.size()), content.toByteArray()));
        });
    return out.toByteArray();
  }
}
