package dev.viesti.dispatcher.wire;

import dev.viesti.dispatcher.AppView;
import dev.viesti.dispatcher.DeliveryView;
import dev.viesti.dispatcher.PluginSummary;
import dev.viesti.dispatcher.PluginView;
import dev.viesti.dispatcher.Receipt;
import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.TriggerView;
import dev.viesti.dispatcher.plugin.PluginMetrics;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What an app answers. Every command may be {@link Refused}. */
public sealed interface Answer extends Wire {
  /** How soon a caller may try again that was refused for now. */
  Duration RETRY_AFTER = Duration.ofSeconds(1);

  record Accepted(List<Receipt> receipts) implements Answer {}

  record App(AppView app) implements Answer {}

  record OneTrigger(TriggerView trigger) implements Answer {}

  record Triggers(List<TriggerView> triggers) implements Answer {}

  record OnePlugin(PluginView plugin) implements Answer {}

  record Plugins(List<PluginSummary> plugins) implements Answer {}

  /**
   * @param problem null when it is healthy
   */
  record PluginHealth(@Nullable String problem) implements Answer {}

  record Metrics(PluginMetrics metrics) implements Answer {}

  /** What a call has returned. */
  record Invoked(Payload reply) implements Answer {}

  record OneDelivery(DeliveryView delivery) implements Answer {}

  /** Numbers of the rows that run. */
  record Running(List<Long> seqs) implements Answer {}

  /**
   * Clients' rows that run where they are, by number.
   *
   * @param triggers whose deliveries they are, in the same order
   */
  record ClientRows(List<Long> seqs, List<TriggerId> triggers) implements Answer {}

  record Replayed(int count) implements Answer {}

  record Done() implements Answer {}

  record Refused(Refusal refusal) implements Answer {}

  /** Refused for now. */
  static Answer unavailable(String why) {
    return new Refused(new Refusal.Unavailable(why, RETRY_AFTER));
  }

  /** Refused as things are. */
  static Answer conflict(String why) {
    return new Refused(new Refusal.Conflict(why));
  }

  /** Refused, for there is no such thing. */
  static Answer notFound(String what) {
    return new Refused(new Refusal.NotFound(what));
  }
}
