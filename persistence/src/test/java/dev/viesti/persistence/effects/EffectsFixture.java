package dev.viesti.persistence.effects;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.effects.Effects.EntityWrite;
import dev.viesti.persistence.effects.Effects.KvWrite;
import dev.viesti.persistence.effects.Effects.NumberingStep;
import dev.viesti.persistence.effects.Effects.Result;
import dev.viesti.persistence.outbox.OutboxFixture;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.PluginId;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A migrated database of its own, and short ways to say what a call wants. */
final class EffectsFixture implements AutoCloseable {
  static final PluginId CRM = new PluginId("crm");
  static final Result COMMITTED = new Result.Committed();
  static final Result FENCED = new Result.Fenced();
  static final Result GONE = new Result.Gone();

  final OutboxFixture rows = new OutboxFixture();
  final EffectsRepository effects = new EffectsRepository(rows.database);
  final KvRepository kv = new KvRepository(rows.database);
  final NumberingRepository numbering = new NumberingRepository(rows.database);
  final EntityRepository entities = new EntityRepository(rows.database);

  @Override
  public void close() {
    rows.close();
  }

  /** A new app whose owner has the epoch 1. */
  AppId owned(String name) throws SQLException {
    var app = new AppId(name);
    assertThat(rows.owners.claim(app, "node", 0).epoch()).isEqualTo(1);
    return app;
  }

  static KvWrite put(String key, String value) {
    return new KvWrite("c", key, Payload.ofJson(value), null);
  }

  static KvWrite putAt(String key, String value, long expected) {
    return new KvWrite("c", key, Payload.ofJson(value), expected);
  }

  static KvWrite delete(String key, @Nullable Long expected) {
    return new KvWrite("c", key, null, expected);
  }

  @Nullable String value(AppId app, String key) throws SQLException {
    KvRepository.Value value = kv.get(app, "c", key);
    return value == null ? null : value.data().utf8();
  }

  long version(AppId app, String key) throws SQLException {
    KvRepository.Value value = kv.get(app, "c", key);
    return value == null ? Effects.ABSENT : value.version();
  }

  List<Result> commit(Wish... calls) throws SQLException {
    return effects.commit(Arrays.stream(calls).map(Wish::effects).toList());
  }

  static Wish call(AppId app) {
    return new Wish(app);
  }

  /** The effects of one call, piece by piece; at the epoch 1. */
  static final class Wish {
    private final AppId app;
    private final List<KvWrite> kv = new ArrayList<>();
    private final List<EntityWrite> entities = new ArrayList<>();
    private final List<NumberingStep> numbering = new ArrayList<>();
    private final List<Event> events = new ArrayList<>();
    private long epoch = 1;
    private @Nullable Delivery row;

    private Wish(AppId app) {
      this.app = app;
    }

    Wish at(long otherEpoch) {
      epoch = otherEpoch;
      return this;
    }

    Wish settles(Delivery settled) {
      row = settled;
      return this;
    }

    Wish with(KvWrite write) {
      kv.add(write);
      return this;
    }

    Wish with(Event event) {
      events.add(event);
      return this;
    }

    Wish inserts(UUID id, String json) {
      entities.add(new EntityWrite.Insert(CRM, "customer", id, json));
      return this;
    }

    Wish updates(UUID id, long expected, String json) {
      entities.add(new EntityWrite.Update(CRM, "customer", id, expected, json));
      return this;
    }

    Wish deletes(UUID id, long expected) {
      entities.add(new EntityWrite.Delete(CRM, "customer", id, expected));
      return this;
    }

    Wish takes(long expected, long last) {
      numbering.add(new NumberingStep(CRM, "invoice", "2026", expected, last));
      return this;
    }

    Effects effects() {
      return new Effects(app, epoch, row, "plugin:crm", kv, entities, numbering, events);
    }
  }
}
