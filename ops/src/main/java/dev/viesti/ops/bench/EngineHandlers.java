package dev.viesti.ops.bench;

import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.handler.HandlerCall;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** Handlers that do nothing, and notice when they start. Thread-safe. */
final class EngineHandlers {
  /** Of events that are run by a handler that does nothing. */
  static final String NOOP = "noop";

  /** Of events whose first attempt fails. */
  static final String ONCE = "once";

  private final Map<UUID, Long> awaited = new ConcurrentHashMap<>();
  private final Set<UUID> failed = ConcurrentHashMap.newKeySet();
  private final Latencies starts = new Latencies();

  /** By the names that triggers give. */
  Map<String, EventHandler> byName() {
    return Map.of(NOOP, this::run, ONCE, this::failOnce);
  }

  /** From {@code nanoTime} until the handler starts: see {@link #starts}. */
  void await(Event event, long nanoTime) {
    awaited.put(event.id(), nanoTime);
  }

  /** Takes the times of the events that were awaited. */
  Latencies starts() {
    return starts.take();
  }

  private Outcome run(HandlerCall call) {
    if (!awaited.isEmpty()) {
      Long at = awaited.remove(call.event().id());
      if (at != null) {
        starts.add(System.nanoTime() - at);
      }
    }
    return Outcome.Succeeded.PLAIN;
  }

  private Outcome failOnce(HandlerCall call) {
    if (failed.add(call.event().id())) {
      return new Outcome.Retryable("the first attempt fails");
    }
    failed.remove(call.event().id());
    return Outcome.Succeeded.PLAIN;
  }
}
