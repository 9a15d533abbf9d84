package dev.viesti.ops.api;

import dev.viesti.dispatcher.Receipt;
import dev.viesti.dispatcher.Viesti;
import dev.viesti.dispatcher.cloudevents.CloudEvents;
import dev.viesti.ops.api.Problem.Kind;
import dev.viesti.protocol.event.Event;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * Events in, in the three modes of the <a
 * href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md">CloudEvents
 * HTTP binding</a>, and as plain JSON for those who do not know it.
 */
final class EventRoutes {
  private static final String STRUCTURED = CloudEvents.CONTENT_TYPE;
  private static final String BATCH = CloudEvents.BATCH_CONTENT_TYPE;
  private static final String PLAIN = "application/json";

  /** The header that says: attributes are in the headers, the body is the data. */
  private static final String BINARY_MARK = "ce-specversion";

  /** The answer; the member's name is part of the API. */
  private record Accepted(List<Receipt> events) {}

  private final Viesti viesti;
  private final CloudEvents format;
  private final ApiSettings settings;
  private final Executor executor;

  EventRoutes(Viesti viesti, CloudEvents format, ApiSettings settings, Executor executor) {
    this.viesti = viesti;
    this.format = format;
    this.settings = settings;
    this.executor = executor;
  }

  List<Route> routes() {
    return List.of(Route.post("/v1/apps/{app}/events", this::publish).body(this::bytesMax));
  }

  private int bytesMax(RequestHead head) {
    return switch (head.mediaType()) {
      case STRUCTURED -> settings.eventBytesMax();
      case BATCH -> settings.batchBytesMax();
      case String other when isBinary(head) -> settings.eventBytesMax();
      case PLAIN -> settings.batchBytesMax();
      default ->
          throw Route.Body.unsupported(
              head,
              STRUCTURED + ", " + BATCH + " or " + PLAIN + ", or binary mode with ce- headers");
    };
  }

  private CompletionStage<ApiResponse> publish(Call call) {
    List<Event> events = read(call);
    return viesti
        .publish(call.app(), events)
        .thenApplyAsync(receipts -> ApiResponse.json(202, new Accepted(receipts)), executor);
  }

  private List<Event> read(Call call) {
    RequestHead head = call.head();
    return switch (head.mediaType()) {
      case STRUCTURED -> List.of(format.parseStructured(call.body().bytes()));
      case BATCH -> batch(call.body().bytes());
      case String other when isBinary(head) ->
          List.of(format.parseBinary(head.headers(), head.contentType(), call.body().bytes()));
      default ->
          isArray(call.body().bytes())
              ? batch(call.body().bytes())
              : List.of(single(call.body().bytes()));
    };
  }

  private List<Event> batch(byte[] body) {
    return format.parseBatch(body, settings.batchEventsMax(), settings.eventBytesMax());
  }

  private Event single(byte[] body) {
    if (body.length > settings.eventBytesMax()) {
      throw tooLarge(settings.eventBytesMax()).exception();
    }
    return format.parseStructured(body);
  }

  /** The problem 413. */
  static Problem tooLarge(int bytesMax) {
    return Problem.of(
        Kind.TOO_LARGE, "a body of this kind has at most %,d bytes".formatted(bytesMax));
  }

  private static boolean isBinary(RequestHead head) {
    return head.headers().containsKey(BINARY_MARK);
  }

  private static boolean isArray(byte[] body) {
    for (byte b : body) {
      if (b != ' ' && b != '\t' && b != '\r' && b != '\n') {
        return b == '[';
      }
    }
    return false;
  }
}
