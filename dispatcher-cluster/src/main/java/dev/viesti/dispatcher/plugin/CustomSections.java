package dev.viesti.dispatcher.plugin;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Finds custom sections of a WASM binary that nobody has looked at yet: <a
 * href="https://www.w3.org/TR/wasm-core-2/#binary-customsec">WebAssembly Core, 5.5.3</a>.
 */
public final class CustomSections {
  private static final int HEADER_BYTES = 8;
  private static final int LEB_BYTES_MAX = 5;

  private final byte[] module;
  private int at = HEADER_BYTES;

  private CustomSections(byte[] module) {
    this.module = module;
  }

  /**
   * What the first section of that name holds. Null when there is none, and also when the binary is
   * broken before it: whoever compiles it says how.
   */
  public static byte @Nullable [] find(byte[] module, String name) {
    return new CustomSections(module).find(name.getBytes(StandardCharsets.UTF_8));
  }

  private byte @Nullable [] find(byte[] name) {
    while (at < module.length) {
      int id = module[at++];
      int size = unsigned();
      int end = at + size;
      if (size < 0 || end < at || end > module.length) {
        return null;
      }
      if (id == 0) {
        int length = unsigned();
        int from = at;
        int to = from + length;
        if (length >= 0
            && to >= from
            && to <= end
            && Arrays.equals(module, from, to, name, 0, name.length)) {
          return Arrays.copyOfRange(module, to, end);
        }
      }
      at = end;
    }
    return null;
  }

  /** A number of the binary format; negative when there is none that an array could have. */
  private int unsigned() {
    long value = 0;
    for (int n = 0; n < LEB_BYTES_MAX && at < module.length; n++) {
      byte next = module[at++];
      value |= (long) (next & 0x7f) << (7 * n);
      if (next >= 0) {
        return value > Integer.MAX_VALUE ? -1 : (int) value;
      }
    }
    return -1;
  }
}
