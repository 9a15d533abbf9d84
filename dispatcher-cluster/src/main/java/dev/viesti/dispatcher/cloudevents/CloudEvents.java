package dev.viesti.dispatcher.cloudevents;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import dev.viesti.protocol.event.Event;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes <a
 * href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md">CloudEvents 1.0</a>.
 * The bytes of {@code data} are kept as they are: numbers are never re-printed. Thread-safe.
 *
 * <p>Differs from the specification in one point: {@code id} may be missing, and such an event is
 * never a duplicate of another.
 */
public final class CloudEvents {
  /** Media type of one event in structured mode. */
  public static final String CONTENT_TYPE = "application/cloudevents+json";

  /** Media type of a batch. */
  public static final String BATCH_CONTENT_TYPE = "application/cloudevents-batch+json";

  private final StructuredReader structured;
  private final BinaryReader binary;

  /**
   * @param freshIds ids for events that came without one; UUIDs of version 7, so that rows of the
   *     same time lie together
   */
  public CloudEvents(Supplier<UUID> freshIds) {
    this.structured = new StructuredReader(freshIds);
    this.binary = new BinaryReader(freshIds);
  }

  /** With ids from the system's clock and its secure random source. */
  public static CloudEvents withSystemIds() {
    NoArgGenerator ids = Generators.timeBasedEpochGenerator();
    return new CloudEvents(ids::generate);
  }

  /**
   * Reads one event in structured mode ({@link #CONTENT_TYPE}).
   *
   * @throws MalformedEventException naming the member that is wrong
   */
  public Event parseStructured(byte[] body) {
    return structured.one(body);
  }

  /**
   * Reads a batch ({@link #BATCH_CONTENT_TYPE}); an empty one is allowed.
   *
   * @param eventsMax most events in the batch
   * @param eventBytesMax longest event, measured as the bytes of its JSON object in {@code body}
   * @throws TooLargeException when a maximum is exceeded
   * @throws MalformedEventException naming the member that is wrong, such as {@code /3/source}
   */
  public List<Event> parseBatch(byte[] body, int eventsMax, int eventBytesMax) {
    return structured.batch(body, eventsMax, eventBytesMax);
  }

  /**
   * Reads one event in <a
   * href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md">binary
   * mode</a>: attributes in headers, {@code data} is the body.
   *
   * @param headers by lower-case name; those that do not start with {@code ce-} are passed over
   * @param contentType value of {@code Content-Type}; null when there is none, which means JSON
   * @throws MalformedEventException naming the attribute that is wrong
   */
  public Event parseBinary(Map<String, String> headers, @Nullable String contentType, byte[] body) {
    return binary.read(headers, contentType, body);
  }

  /** The event in structured mode, its {@code data} byte for byte. */
  public static byte[] renderStructured(Event event) {
    return StructuredWriter.write(event);
  }
}
