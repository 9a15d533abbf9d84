package dev.viesti.dispatcher.plugin;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.event.Event;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What a call is made for.
 *
 * @param delivery null when it is made for its own sake
 * @param attempt 1-based
 * @param now the same for the whole call, however long it takes
 * @param cause the event that is handled; what the call publishes descends from it
 */
public record CallScope(
    AppId app,
    Caller caller,
    @Nullable String principal,
    @Nullable DeliveryId delivery,
    int attempt,
    Instant now,
    @Nullable Event cause) {
  /** Who changes what the call changes, as audit columns say it. */
  String by() {
    String self = caller.kind() + ":" + caller.name();
    return principal == null ? self : self + " for " + principal;
  }

  /** Null when it is no plugin that calls. */
  @Nullable InstalledPlugin plugin() {
    return caller instanceof InstalledPlugin plugin ? plugin : null;
  }
}
