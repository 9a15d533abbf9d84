package dev.viesti.protocol.event;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The values were computed by another program, and rows and receivers remember them for ever. */
final class DerivedTest {
  @Test
  void neverChanges() {
    assertThat(Derived.uuid()).hasToString("e3b0c442-98fc-8c14-9afb-f4c8996fb924");
    assertThat(Derived.uuid("a", "b")).hasToString("16275ef0-f5d0-8b9d-99e0-a53277549fda");
    assertThat(Event.derivedId("/orders", "42"))
        .hasToString("514e74ce-8c3f-8e11-ba84-1c5844154f4e");
    assertThat(Event.derivedId("/kauppa/ä", "€😀"))
        .hasToString("d6f29fb1-2648-8dd6-bffd-9a603563b8f6");
    assertThat(
            DeliveryId.of(
                UUID.fromString("01890a5d-ac96-774b-bcce-b302099a8057"),
                new TriggerId("bill-customer")))
        .hasToString("7acf1d9d-b384-8387-8166-28cfba6d1215");
  }

  @Test
  void tellsPartsApart() {
    assertThat(Event.derivedId("ab", "c")).isNotEqualTo(Event.derivedId("a", "bc"));
    assertThat(Derived.uuid("ab", "c")).hasToString("f2939f90-3016-85bb-a9b1-e4a61cdbd376");
    assertThat(Derived.uuid("a", "bc")).hasToString("b534ce16-ac9c-8b36-823f-39a395ce8e0e");
    assertThat(Derived.uuid("a", "")).isNotEqualTo(Derived.uuid("a"));
    assertThat(Derived.uuid("a", "")).isNotEqualTo(Derived.uuid("", "a"));
  }

  @Test
  void isAUuidOfVersion8() {
    for (int n = 0; n < 1_000; n++) {
      UUID id = Derived.uuid("n", Integer.toString(n));
      assertThat(id.version()).isEqualTo(8);
      assertThat(id.variant()).isEqualTo(2);
    }
  }

  /** Few letters and a digit that looks like a length, so that sloppy joining would collide. */
  @Test
  void givesDifferentPartsDifferentIds() {
    Map<UUID, List<String>> seen = new HashMap<>();
    for (long seed = 0; seed < 20_000; seed++) {
      var random = new SplittableRandom(seed);
      List<String> parts = List.of(text(random), text(random));
      List<String> before = seen.putIfAbsent(Derived.uuid(parts.get(0), parts.get(1)), parts);
      assertThat(before == null ? parts : before).as("seed %d", seed).isEqualTo(parts);
    }
  }

  private static String text(SplittableRandom random) {
    var text = new StringBuilder();
    for (int length = random.nextInt(6); length > 0; length--) {
      text.append("ab\u0000\u0001".charAt(random.nextInt(4)));
    }
    return text.toString();
  }
}
