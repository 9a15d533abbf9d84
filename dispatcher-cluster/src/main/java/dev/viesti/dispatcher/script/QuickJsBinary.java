package dev.viesti.dispatcher.script;

import dev.viesti.protocol.plugin.Sha256;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The binary of QuickJS as its makers publish it, made fit for our sandbox.
 *
 * <p>It imports its memory, which our modules must not, and asks its host to let it grow. So this
 * moves the memory inside, exports it, and appends a function {@code grow}. The start function
 * becomes an export: it must run once, before memory is frozen, and not in each instance. All
 * indices stay as they were. Nothing here is meant for another binary: the hash is checked.
 */
final class QuickJsBinary {
  /** Of {@code @jitl/quickjs-wasmfile-release-sync} 0.32.0; beside it is where it comes from. */
  static final String SHA_256 = "105c3bed22d457e43e3d1c3c1c6959fda62a8fe06f0fc8a985303c3a2be72232";

  /** Export of the function that runs once. */
  static final String START = "start";

  /** Export of {@code memory.grow}: takes pages, gives the size before, or -1. */
  static final String GROW = "grow";

  private static final String RESOURCE = "quickjs.wasm";
  private static final int IMPORT = 2;
  private static final int FUNCTION = 3;
  private static final int TABLE = 4;
  private static final int MEMORY = 5;
  private static final int EXPORT = 7;
  private static final int START_SECTION = 8;
  private static final int CODE = 10;

  /** Up to here go its data and its stack, of 5 MiB; 64 KiB pages. The heap grows behind. */
  private static final int PAGES = 82;

  /** Index of the type {@code (i32) -> i32}. */
  private static final int TYPE_OF_GROW = 4;

  /** No locals; {@code local.get 0}, {@code memory.grow}, {@code end}. */
  private static final byte[] BODY_OF_GROW = {6, 0, 0x20, 0, 0x40, 0, 0x0b};

  private final byte[] in;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private int position = 8;
  private int functions;
  private int start = -1;

  private QuickJsBinary(byte[] in) {
    this.in = in;
  }

  /** Reads the resource and rewrites it. */
  static byte[] read() {
    byte[] published;
    try (InputStream resource = QuickJsBinary.class.getResourceAsStream(RESOURCE)) {
      if (resource == null) {
        throw new IllegalStateException(RESOURCE + " is missing from the jar");
      }
      published = resource.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String hash = Sha256.hex(published);
    if (!hash.equals(SHA_256)) {
      throw new IllegalStateException(RESOURCE + " is not the one we know: " + hash);
    }
    return new QuickJsBinary(published).rewrite();
  }

  private byte[] rewrite() {
    out.write(in, 0, position);
    byte[] exports = {};
    while (position < in.length) {
      int id = in[position++];
      int end = number() + position;
      switch (id) {
        case IMPORT -> section(id, imports());
        case FUNCTION -> {
          int own = number();
          functions += own;
          section(id, oneMore(own, end, leb(TYPE_OF_GROW)));
        }
        case TABLE -> {
          section(id, rest(end));
          section(MEMORY, concat(new byte[] {1, 0}, leb(PAGES)));
        }
        // Exports come before the start section, whose function they have to name.
        case EXPORT -> exports = rest(end);
        case START_SECTION -> {
          start = number();
          section(EXPORT, exports(exports));
        }
        case CODE -> section(id, oneMore(number(), end, BODY_OF_GROW));
        default -> section(id, rest(end));
      }
      position = end;
    }
    return out.toByteArray();
  }

  /** All but the memory. */
  private byte[] imports() {
    int count = number();
    ByteArrayOutputStream kept = new ByteArrayOutputStream();
    kept.writeBytes(leb(count - 1));
    for (int i = 0; i < count; i++) {
      int from = position;
      skipName();
      skipName();
      if (in[position++] == 0) {
        number();
        kept.write(in, from, position - from);
        functions++;
      } else {
        boolean bounded = in[position++] == 1;
        number();
        if (bounded) {
          number();
        }
      }
    }
    return kept.toByteArray();
  }

  private byte[] exports(byte[] published) {
    QuickJsBinary reader = new QuickJsBinary(published);
    reader.position = 0;
    int count = reader.number();
    ByteArrayOutputStream more = new ByteArrayOutputStream();
    more.writeBytes(leb(count + 3));
    more.write(published, reader.position, published.length - reader.position);
    more.writeBytes(export("memory", 2, 0));
    more.writeBytes(export(START, 0, start));
    more.writeBytes(export(GROW, 0, functions));
    return more.toByteArray();
  }

  private static byte[] export(String name, int kind, int index) {
    byte[] text = name.getBytes(StandardCharsets.US_ASCII);
    return concat(leb(text.length), concat(text, concat(leb(kind), leb(index))));
  }

  private byte[] oneMore(int count, int end, byte[] last) {
    return concat(leb(count + 1), concat(rest(end), last));
  }

  private byte[] rest(int end) {
    return Arrays.copyOfRange(in, position, end);
  }

  private void section(int id, byte[] content) {
    out.write(id);
    out.writeBytes(leb(content.length));
    out.writeBytes(content);
  }

  private void skipName() {
    int length = number();
    position += length;
  }

  private int number() {
    int value = 0;
    for (int shift = 0; ; shift += 7) {
      int next = in[position++];
      value |= (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
  }

  private static byte[] leb(int value) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int rest = value;
    while (rest > 0x7f) {
      bytes.write((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    bytes.write(rest);
    return bytes.toByteArray();
  }

  private static byte[] concat(byte[] one, byte[] other) {
    byte[] both = Arrays.copyOf(one, one.length + other.length);
    System.arraycopy(other, 0, both, one.length, other.length);
    return both;
  }
}
