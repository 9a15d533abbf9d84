package dev.viesti.dispatcher.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CustomSectionsTest {
  private static final int TYPE = 1;

  private final ByteArrayOutputStream module = new ByteArrayOutputStream();

  CustomSectionsTest() {
    module.writeBytes(new byte[] {0, 'a', 's', 'm', 1, 0, 0, 0});
  }

  private void section(int id, byte[] content) {
    module.write(id);
    number(content.length);
    module.writeBytes(content);
  }

  private void custom(String name, String content) {
    var section = new ByteArrayOutputStream();
    section.write(name.length());
    section.writeBytes(utf8(name));
    section.writeBytes(utf8(content));
    section(0, section.toByteArray());
  }

  /** In two bytes, as compilers write it: longer than it must be. */
  private void number(int value) {
    module.write((value & 0x7f) | 0x80);
    module.write(value >>> 7);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void findsASectionAmongOthers() {
    section(TYPE, new byte[] {0});
    custom("name", "other");
    custom("manifes", "shorter");
    custom("manifest2", "longer");
    custom("manifest", "x".repeat(300));
    custom("manifest", "second");
    assertThat(CustomSections.find(module.toByteArray(), "manifest"))
        .isEqualTo(utf8("x".repeat(300)));
    assertThat(CustomSections.find(module.toByteArray(), "nothing")).isNull();
  }

  @Test
  void findsNothingInWhatIsBroken() {
    custom("manifest", "content");
    byte[] whole = module.toByteArray();
    for (int length = 0; length < whole.length; length++) {
      assertThat(CustomSections.find(Arrays.copyOf(whole, length), "manifest"))
          .as("%d bytes", length)
          .isNull();
    }
  }

  @Test
  void readsAnyBytesToTheirEnd() {
    section(TYPE, new byte[40]);
    custom("manifest", "content");
    byte[] whole = module.toByteArray();
    for (long seed = 0; seed < 20_000; seed++) {
      var random = new Random(seed);
      byte[] mutated = whole.clone();
      for (int n = random.nextInt(6); n >= 0; n--) {
        mutated[random.nextInt(mutated.length)] = (byte) random.nextInt();
      }
      assertThatCode(() -> CustomSections.find(mutated, "manifest"))
          .as("seed " + seed)
          .doesNotThrowAnyException();
    }
  }
}
