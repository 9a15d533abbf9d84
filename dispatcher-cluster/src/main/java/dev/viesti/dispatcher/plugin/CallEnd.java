package dev.viesti.dispatcher.plugin;

import dev.viesti.protocol.event.Payload;

/** How a call that was made for its own sake, without a delivery, has ended. */
public sealed interface CallEnd {
  /** It returned, and its effects are durable. */
  record Returned(Payload reply) implements CallEnd {}

  /**
   * It failed, and has had no effect.
   *
   * @param kind {@code error} when the plugin said so itself, {@code conflict} when what it had
   *     read was changed meanwhile, again and again, {@code refused} when the database will never
   *     take its effects, {@code timeout}, {@code module} when it cannot be loaded, or the name of
   *     a trap: {@code trap}, {@code fuel}, {@code stack}, {@code memory}, {@code interrupted},
   *     {@code contract}, {@code host}
   */
  record Failed(String kind, String message) implements CallEnd {}

  /** The app has another owner now: no effect. */
  record Fenced() implements CallEnd {}

  /** Not now: the database is away, the plugin is disabled or in quarantine. */
  record Unavailable(String why) implements CallEnd {}
}
