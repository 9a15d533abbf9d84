package dev.viesti.persistence.effects;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.plugin.PluginId;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** A row that a call writes. */
sealed interface Target {
  AppId app();

  /** For people, without the app. */
  String words();

  record Row(AppId app, long seq) implements Target {
    @Override
    public String words() {
      return "row " + seq;
    }
  }

  record Kv(AppId app, String collection, String key) implements Target {
    @Override
    public String words() {
      return "kv " + collection + "/" + key;
    }
  }

  record Entity(AppId app, PluginId plugin, String entity, UUID id) implements Target {
    @Override
    public String words() {
      return "entity " + plugin + "/" + entity + "/" + id;
    }
  }

  record Numbers(AppId app, PluginId plugin, String rule, String period) implements Target {
    @Override
    public String words() {
      return "numbering " + plugin + "/" + rule + (period.isEmpty() ? "" : "/" + period);
    }
  }

  /**
   * A target and how it is met.
   *
   * @param blind the write takes effect whatever is there
   */
  record Write(Target target, boolean blind) {
    static List<Write> of(Effects effects) {
      AppId app = effects.app();
      List<Write> writes = new ArrayList<>();
      Delivery row = effects.settles();
      if (row != null) {
        writes.add(new Write(new Row(app, row.seq()), false));
      }
      for (Effects.KvWrite kv : effects.kv()) {
        writes.add(new Write(new Kv(app, kv.collection(), kv.key()), kv.expected() == null));
      }
      for (Effects.EntityWrite write : effects.entities()) {
        writes.add(new Write(new Entity(app, write.plugin(), write.entity(), write.id()), false));
      }
      for (Effects.NumberingStep step : effects.numbering()) {
        writes.add(new Write(new Numbers(app, step.plugin(), step.rule(), step.period()), false));
      }
      return writes;
    }
  }
}
