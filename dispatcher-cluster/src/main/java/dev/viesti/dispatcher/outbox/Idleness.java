package dev.viesti.dispatcher.outbox;

import java.time.Instant;

/** Tells the app when its outbox has had nothing to do for long. Belongs to one {@link Outbox}. */
final class Idleness {
  private final OutboxParts parts;
  private Instant busyAt;

  Idleness(OutboxParts parts) {
    this.parts = parts;
    this.busyAt = parts.now();
  }

  void busy() {
    busyAt = parts.now();
  }

  /** Asked every now and then. */
  void look(boolean idle) {
    if (!idle) {
      busy();
    } else if (!parts.now().isBefore(busyAt.plus(parts.settings().idleAfter()))) {
      parts.parent().idle().run();
      busy();
    }
  }
}
