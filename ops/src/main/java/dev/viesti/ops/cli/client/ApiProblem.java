package dev.viesti.ops.cli.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The server answered, and refused: an RFC 9457 problem, or any other answer that is no success.
 */
public final class ApiProblem extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Retry-After is believed up to this: a proxy's mistake must not stall a command for a day. */
  private static final Duration RETRY_AFTER_MAX = Duration.ofMinutes(1);

  /**
   * What is wrong with one field.
   *
   * @param pointer JSON Pointer into the body that was sent
   */
  public record FieldError(String pointer, String detail) {}

  private final int status;
  private final String title;
  private final String detail;
  private final transient List<FieldError> errors;
  private final transient @Nullable Duration retryAfter;

  private ApiProblem(
      int status,
      String title,
      String detail,
      List<FieldError> errors,
      @Nullable Duration retryAfter) {
    super(detail.isEmpty() ? title : title + ": " + detail, null, false, false);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.errors = errors;
    this.retryAfter = retryAfter;
  }

  static ApiProblem of(int status, String body, @Nullable String retryAfter) {
    String title = "HTTP " + status;
    String detail = "";
    var errors = new ArrayList<FieldError>();
    try {
      JsonNode problem = ClientJson.MAPPER.readTree(body);
      if (problem.hasNonNull("title")) {
        title = problem.path("title").asText();
      }
      detail = ClientJson.text(problem, "detail");
      for (JsonNode error : problem.path("errors")) {
        errors.add(
            new FieldError(ClientJson.text(error, "pointer"), ClientJson.text(error, "detail")));
      }
    } catch (JsonProcessingException notJson) {
      detail = body.strip().lines().findFirst().orElse("");
    }
    return new ApiProblem(status, title, detail, List.copyOf(errors), seconds(retryAfter));
  }

  private static @Nullable Duration seconds(@Nullable String header) {
    if (header == null || !header.strip().matches("\\d{1,9}")) {
      return null;
    }
    Duration wish = Duration.ofSeconds(Long.parseLong(header.strip()));
    return wish.compareTo(RETRY_AFTER_MAX) > 0 ? RETRY_AFTER_MAX : wish;
  }

  /** The HTTP status. */
  public int status() {
    return status;
  }

  public String title() {
    return title;
  }

  /** Empty when the server gave none. */
  public String detail() {
    return detail;
  }

  public List<FieldError> errors() {
    return errors;
  }

  /** The server's wish for the least delay, at most a minute; null when it gave none in seconds. */
  public @Nullable Duration retryAfter() {
    return retryAfter;
  }

  /** Whether the same request may succeed later. */
  public boolean isTransient() {
    return status == 429 || status == 502 || status == 503 || status == 504;
  }
}
