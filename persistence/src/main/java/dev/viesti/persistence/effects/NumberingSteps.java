package dev.viesti.persistence.effects;

import dev.viesti.persistence.effects.Effects.NumberingStep;
import dev.viesti.persistence.outbox.SqlArrays;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.plugin.PluginId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Numbers that calls take; see {@link KvWrites} on the one statement. */
final class NumberingSteps implements Writes {
  private static final String TAKE =
      """
      with taken as (
        insert into numbering as d (app_id, plugin_id, rule, period, expected, last)
        select k.app_id, k.plugin_id, k.rule, k.period, k.expected, k.last
        from (
            select unnest(?::text[]) as app_id, unnest(?::text[]) as plugin_id,
              unnest(?::text[]) as rule, unnest(?::text[]) as period,
              unnest(?::bigint[]) as expected, unnest(?::bigint[]) as last) as k
        on conflict (app_id, plugin_id, rule, period) do update
          set last = excluded.last, expected = -excluded.expected
          where excluded.expected = d.last
        returning app_id, plugin_id, rule, period, expected
      )
      select app_id, plugin_id, rule, period from taken where expected <= 0
      """;

  private static final Comparator<Step> ORDER =
      Comparator.comparing((Step step) -> step.target().app())
          .thenComparing(step -> step.target().plugin())
          .thenComparing(step -> step.target().rule())
          .thenComparing(step -> step.target().period());

  private record Step(Target.Numbers target, long expected, long last, Call.At by) {}

  private final List<Step> steps = new ArrayList<>();

  NumberingSteps(List<Call> calls) {
    for (Call call : calls) {
      AppId app = call.effects().app();
      for (NumberingStep step : call.effects().numbering()) {
        var target = new Target.Numbers(app, step.plugin(), step.rule(), step.period());
        steps.add(new Step(target, step.expected(), step.last(), call.at()));
      }
    }
    steps.sort(ORDER);
  }

  @Override
  public boolean isEmpty() {
    return steps.isEmpty();
  }

  @Override
  public List<Miss> run(Connection connection) throws SQLException {
    Set<Target> met = new HashSet<>();
    try (PreparedStatement statement = connection.prepareStatement(TAKE)) {
      var arrays = new SqlArrays(statement);
      arrays.texts(steps, step -> step.target().app().value());
      arrays.texts(steps, step -> step.target().plugin().value());
      arrays.texts(steps, step -> step.target().rule());
      arrays.texts(steps, step -> step.target().period());
      arrays.longs(steps, Step::expected);
      arrays.longs(steps, Step::last);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          met.add(
              new Target.Numbers(
                  new AppId(row.getString(1)),
                  new PluginId(row.getString(2)),
                  row.getString(3),
                  row.getString(4)));
        }
      }
    }
    return steps.stream()
        .filter(step -> !met.contains(step.target()))
        .map(step -> new Miss(step.by(), step.target()))
        .toList();
  }
}
