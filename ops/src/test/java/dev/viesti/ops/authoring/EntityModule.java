package dev.viesti.ops.authoring;

import dev.viesti.protocol.event.Payload;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * A plugin, written by hand, that inserts the data of each event as an {@code order}, and fails
 * with what the host answers when it does not take it.
 */
final class EntityModule {
  private static final String MANIFEST =
      """
      id = "orders"
      name = "Orders"
      version = "1"
      permissions = ["entity:write:order"]

      [[subscribe]]
      type = "order.placed"

      [[entities]]
      name = "order"
      fields = [
        { name = "number", type = "string", required = true },
        { name = "total", type = "number" },
        { name = "customer", type = "string" },
      ]

      [[entities]]
      name = "invoice"
      fields = [{ name = "number", type = "string" }]
      """;

  /** Takes words and returns nothing, or a word. */
  private static final byte[] TYPES = {
    2, 0x60, 5, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f
  };

  /** One page, and one word: where free memory begins. */
  private static final byte[] MEMORY = {1, 0, 1};

  private static final byte[] GLOBALS = {1, 0x7f, 1, 0x41, (byte) 0x80, 8, 0x0b};

  /** Hands out what is free, and moves its beginning up to the next multiple of eight. */
  private static final byte[] REALLOC = {
    0, 0x23, 0, 0x23, 0, 0x20, 3, 0x6a, 0x41, 7, 0x6a, 0x41, 0x78, 0x71, 0x24, 0, 0x0b
  };

  /** {@code insert("order" at 16, payload, answer at 32)}; what it answers is its own result. */
  private static final byte[] HANDLE_EVENT = {
    0, 0x41, 16, 0x41, 5, 0x20, 2, 0x20, 3, 0x41, 32, 0x10, 0, 0x41, 32, 0x0b
  };

  private EntityModule() {}

  static byte[] withManifest() throws AuthoringException {
    ManifestFile manifest = ManifestFile.parse(Payload.ofJson(MANIFEST), "plugin.toml");
    return PluginFile.of(module(), manifest).module().bytes();
  }

  private static byte[] module() {
    var module = new ByteArrayOutputStream();
    module.writeBytes(new byte[] {0, 'a', 's', 'm', 1, 0, 0, 0});
    section(module, 1, TYPES);
    section(
        module,
        2,
        concat(new byte[] {1}, name("viesti:plugin/entities@1.0.0"), name("insert"), 0, 0));
    section(module, 3, new byte[] {2, 1, 1});
    section(module, 5, MEMORY);
    section(module, 6, GLOBALS);
    section(
        module,
        7,
        concat(
            new byte[] {3},
            name("memory"),
            2,
            0,
            name("cabi_realloc"),
            0,
            1,
            name("handle-event"),
            0,
            2));
    section(
        module,
        10,
        concat(new byte[] {2}, REALLOC.length, REALLOC, HANDLE_EVENT.length, HANDLE_EVENT));
    section(module, 11, concat(new byte[] {1, 0, 0x41, 16, 0x0b}, name("order")));
    return module.toByteArray();
  }

  /** All lengths here are below 128, so that one byte says each. */
  private static void section(ByteArrayOutputStream module, int id, byte[] content) {
    module.write(id);
    module.write(content.length);
    module.writeBytes(content);
  }

  private static byte[] name(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    return concat(bytes.length, bytes);
  }

  /** Of bytes and single ones. */
  private static byte[] concat(Object... parts) {
    var all = new ByteArrayOutputStream();
    for (Object part : parts) {
      if (part instanceof byte[] bytes) {
        all.writeBytes(bytes);
      } else {
        all.write((Integer) part);
      }
    }
    return all.toByteArray();
  }
}
