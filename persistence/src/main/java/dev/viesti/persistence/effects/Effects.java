package dev.viesti.persistence.effects;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.PluginId;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What one call wants to be durable: all of it, or nothing.
 *
 * @param epoch of the app's owner; with another one nothing is written
 * @param settles the row, in its version, that goes with it; null when no delivery was run
 * @param by who is entered as having changed entities: the plugin, and on whose behalf
 * @param kv at most one for each collection and key
 * @param entities at most one for each plugin, entity and id
 * @param numbering at most one for each plugin, rule and period
 * @param events to be routed to the app's triggers
 */
public record Effects(
    AppId app,
    long epoch,
    @Nullable Delivery settles,
    String by,
    List<KvWrite> kv,
    List<EntityWrite> entities,
    List<NumberingStep> numbering,
    List<Event> events) {
  /** The version of a kv value or an entity that is not there. */
  public static final long ABSENT = 0;

  /**
   * @param value null deletes
   * @param expected the version that the call has seen, {@link #ABSENT} if there was none; null
   *     when it has not looked: then it takes effect whatever is there
   */
  public record KvWrite(
      String collection, String key, @Nullable Payload value, @Nullable Long expected) {}

  /** A write of one entity. */
  public sealed interface EntityWrite {
    PluginId plugin();

    String entity();

    UUID id();

    /**
     * @param json the object's fields, checked against its type
     */
    record Insert(PluginId plugin, String entity, UUID id, String json) implements EntityWrite {}

    /**
     * @param expected its version so far; the new one is the next
     * @param json all its fields
     */
    record Update(PluginId plugin, String entity, UUID id, long expected, String json)
        implements EntityWrite {}

    /** Soft: the row stays, but no query finds it. */
    record Delete(PluginId plugin, String entity, UUID id, long expected) implements EntityWrite {}
  }

  /**
   * @param expected the last number taken before, 0 if none was
   * @param last the last one taken now, larger
   */
  public record NumberingStep(
      PluginId plugin, String rule, String period, long expected, long last) {}

  /** What became of the effects of one call; all but the first have written nothing. */
  public sealed interface Result {
    record Committed() implements Result {}

    /** The row is not there in the version that was named: it was settled before. */
    record Gone() implements Result {}

    /** The epoch is not the owner's any more. */
    record Fenced() implements Result {}

    /**
     * What the call has read was changed meanwhile.
     *
     * @param what for people: {@code kv counters/total}
     */
    record Conflict(String what) implements Result {}

    /** The database will never take it. */
    record Refused(String detail) implements Result {}
  }

  /** Whether there is nothing to write but the settlement. */
  public boolean areNone() {
    return kv.isEmpty() && entities.isEmpty() && numbering.isEmpty() && events.isEmpty();
  }
}
