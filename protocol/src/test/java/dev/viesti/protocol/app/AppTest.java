package dev.viesti.protocol.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.viesti.protocol.trigger.RetryPolicy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class AppTest {
  @Test
  void hasAnIdOf1To64Characters() {
    assertThat(new AppId("shop-1").toString()).isEqualTo("shop-1");
    assertThat(new AppId("a".repeat(64)).value()).hasSize(64);
    assertThat(new AppId("a")).isLessThan(new AppId("b"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "Shop", "a_b", "a/b", "..", "ä", "a\n", "a\u0000"})
  void refusesOtherIds(String id) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new AppId(id))
        .withMessageContaining("app id")
        .withMessageContaining("64");
  }

  @Test
  void refusesTooLongIds() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new AppId("a".repeat(65)))
        .withMessageContaining("app id");
  }

  @Test
  void fillsInWhatJsonLeavesOut() {
    assertThat(AppSettings.of(null, null, null, null)).isEqualTo(AppSettings.DEFAULT);
    assertThat(AppSettings.DEFAULT)
        .isEqualTo(new AppSettings(null, 64, false, RetryPolicy.DEFAULT));
    assertThat(AppSettings.of("Shop", 1, true, RetryPolicy.DEFAULT))
        .isEqualTo(new AppSettings("Shop", 1, true, RetryPolicy.DEFAULT));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 10_001})
  void refusesAConcurrencyBeyondItsBounds(int concurrency) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> AppSettings.of(null, concurrency, null, null))
        .withMessageStartingWith("concurrency");
  }

  @Test
  void limitsItsDisplayName() {
    assertThat(AppSettings.of("n".repeat(200), 10_000, null, null).displayName()).hasSize(200);
    for (String bad : new String[] {"n".repeat(201), "a\u0000b"}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> AppSettings.of(bad, null, null, null))
          .withMessageStartingWith("displayName");
    }
  }
}
