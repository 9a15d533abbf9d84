package dev.viesti.persistence.effects;

import dev.viesti.persistence.outbox.Fence;
import dev.viesti.persistence.outbox.SqlArrays;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The statements of one transaction that its caller ends. */
final class EffectsTransaction {
  /** Held to the end of the transaction, so the statements after it need no fence of their own. */
  private static final String HOLD = "with " + Fence.OWNED + " select n from owned";

  private final Connection connection;

  EffectsTransaction(Connection connection) {
    this.connection = connection;
  }

  /** Those of the calls whose epoch is still the owner's, and stays so until the end. */
  List<Call> held(List<Call> calls) throws SQLException {
    var fence = new Fence();
    calls.stream()
        .map(Call::effects)
        .sorted(Comparator.comparing(Effects::app))
        .forEach(effects -> fence.number(effects.app(), effects.epoch()));
    Set<Integer> owned = new HashSet<>();
    try (PreparedStatement statement = connection.prepareStatement(HOLD)) {
      fence.bind(new SqlArrays(statement));
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          owned.add(row.getInt(1));
        }
      }
    }
    return calls.stream()
        .filter(call -> owned.contains(fence.number(call.effects().app(), call.effects().epoch())))
        .toList();
  }

  /**
   * Writes the effects of these.
   *
   * @return calls that must not be committed, each with a row that is not as it expects
   */
  Map<Call.At, Target> write(List<Call> held) throws SQLException {
    Map<Call.At, Target> missed = new HashMap<>();
    for (Writes writes :
        List.of(
            new SettledRows(held),
            new KvWrites(held),
            new EntityWrites(held),
            new NumberingSteps(held),
            new PublishedEvents(held))) {
      if (!writes.isEmpty()) {
        writes.run(connection).forEach(miss -> missed.putIfAbsent(miss.by(), miss.target()));
      }
    }
    return missed;
  }
}
