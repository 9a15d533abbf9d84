package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.dispatcher.wasm.WasmTrapException.Kind;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Values that cross into an instance's memory and out of it, laid out as the <a
 * href="https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md">canonical
 * ABI</a> has it. Whoever breaks it is trapped; nothing of a guest's pointers is believed.
 */
final class Guest {
  /** What a guest allocates with. */
  static final String REALLOC = "cabi_realloc";

  /** What crosses the border costs as a bulk copy in the module itself: 64 bytes for one. */
  private static final int BYTES_PER_FUEL_LOG2 = 6;

  /** Of pointers and lengths. */
  private static final int WORD = 4;

  private final WasmInstance instance;

  Guest(WasmInstance instance) {
    this.instance = instance;
  }

  byte[] bytes(long pointer, long length) throws WasmTrapException {
    if (length < 0 || length > Integer.MAX_VALUE) {
      throw broken("a list of " + Integer.toUnsignedString((int) length) + " bytes");
    }
    instance.charge(length >> BYTES_PER_FUEL_LOG2);
    return length == 0 ? new byte[0] : instance.read((int) pointer, (int) length);
  }

  String text(long pointer, long length) throws WasmTrapException {
    String text = JsonText.utf8(bytes(pointer, length));
    if (text == null) {
      throw broken("a string is not UTF-8");
    }
    return text;
  }

  int word(int address) throws WasmTrapException {
    return instance.readInt(address);
  }

  /** The one byte of a variant that says which case it is. */
  int discriminant(int address) throws WasmTrapException {
    return instance.read(address, 1)[0] & 0xff;
  }

  /** Whether a function may return through this address. */
  void requireAligned(int address, int alignment) throws WasmTrapException {
    if (address % alignment != 0) {
      throw broken("a return area is not aligned to " + alignment + " bytes");
    }
  }

  void putByte(int address, int value) throws WasmTrapException {
    instance.writeByte(address, value);
  }

  void putWord(int address, int value) throws WasmTrapException {
    instance.writeInt(address, value);
  }

  void putLong(int address, long value) throws WasmTrapException {
    instance.writeLong(address, value);
  }

  void putText(int address, String text) throws WasmTrapException {
    putBytes(address, text.getBytes(StandardCharsets.UTF_8));
  }

  /** A list of bytes, as its pointer and length at {@code address}. */
  void putBytes(int address, byte[] bytes) throws WasmTrapException {
    int at = allocate(bytes, 1);
    instance.writeInt(address, at);
    instance.writeInt(address + WORD, bytes.length);
  }

  void putTexts(int address, List<String> texts) throws WasmTrapException {
    var elements = ByteBuffer.allocate(2 * WORD * texts.size()).order(ByteOrder.LITTLE_ENDIAN);
    for (String text : texts) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      elements.putInt(allocate(bytes, 1)).putInt(bytes.length);
    }
    instance.writeInt(address, allocate(elements.array(), WORD));
    instance.writeInt(address + WORD, texts.size());
  }

  /** Bytes in memory that the guest gave; where nothing is needed, an address that is aligned. */
  int allocate(byte[] bytes, int alignment) throws WasmTrapException {
    if (bytes.length == 0) {
      return alignment;
    }
    instance.charge(bytes.length >> BYTES_PER_FUEL_LOG2);
    int at = (int) instance.call(REALLOC, 0, 0, alignment, bytes.length);
    requireAligned(at, alignment);
    instance.write(at, bytes);
    return at;
  }

  static WasmTrapException broken(String what) {
    return new WasmTrapException(Kind.CONTRACT, "breaks the canonical ABI: " + what);
  }
}
