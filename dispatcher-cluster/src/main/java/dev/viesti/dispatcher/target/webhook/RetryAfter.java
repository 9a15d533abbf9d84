package dev.viesti.dispatcher.target.webhook;

import java.time.Duration;
import java.time.Instant;
import org.apache.hc.client5.http.utils.DateUtils;
import org.jspecify.annotations.Nullable;

/** <a href="https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3">RFC 9110, Retry-After</a>. */
final class RetryAfter {
  /** A longer wish is cut to this; settling cuts further. */
  private static final Duration MAX = Duration.ofDays(365);

  /** More digits than {@link #MAX} has in seconds. */
  private static final int DIGITS_MAX = 9;

  private RetryAfter() {}

  /** The least delay that the endpoint wishes; null when it did not say, or not legibly. */
  static @Nullable Duration parse(@Nullable String value, Instant now) {
    if (value == null || value.isBlank()) {
      return null;
    }
    String text = value.strip();
    if (text.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return text.length() > DIGITS_MAX ? MAX : atMost(Duration.ofSeconds(Long.parseLong(text)));
    }
    Instant at = DateUtils.parseStandardDate(text);
    if (at == null) {
      return null;
    }
    return at.isAfter(now) ? atMost(Duration.between(now, at)) : Duration.ZERO;
  }

  private static Duration atMost(Duration wish) {
    return wish.compareTo(MAX) > 0 ? MAX : wish;
  }
}
