package dev.viesti.persistence.effects;

import dev.viesti.persistence.Database;
import dev.viesti.persistence.SqlFailure;
import dev.viesti.persistence.effects.Effects.Result;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes the effects of calls and the settlement of their deliveries durable, many calls in one
 * transaction. Thread-safe; blocks.
 *
 * <p>A call that fails takes no other with it. Calls that contradict an earlier one of their batch
 * are found before anything is sent ({@link Wave}). What the database finds, a version that does
 * not match or a row that is gone, rolls the transaction back; it is repeated without exactly those
 * calls, so at most as often as there are calls. Data that the database refuses divides the batch
 * until the culprit stands alone.
 *
 * <p>Every transaction locks in the same order: owners by app, rows of the outbox by place, then
 * values, entities, numbers and the ids of events, each by key. So two never wait for each other.
 */
public final class EffectsRepository {
  /** The state of a statement of which nobody knows whether it took effect. */
  private static final String UNKNOWN_STATE = "40003";

  private final Database database;

  /**
   * @param database opened by {@link Database#open}: the statements are written for its plans
   */
  public EffectsRepository(Database database) {
    this.database = database;
  }

  /**
   * Commits each call's effects, or none of that call's.
   *
   * @param calls of any apps, a call later in the list comes later; best some hundreds, for rows
   *     stay locked until all are written
   * @return what became of them, in the same order
   * @throws SQLException when nothing was written, or when it is not known what was ({@link
   *     SqlFailure} tells which): the caller renews the epoch, or tries again
   */
  public List<Result> commit(List<Effects> calls) throws SQLException {
    var results = new Results(calls.size());
    List<Call> waiting = new ArrayList<>(calls.size());
    for (int index = 0; index < calls.size(); index++) {
      var call = new Call(new Call.At(index), calls.get(index));
      String problem = problem(call.effects());
      if (problem == null) {
        waiting.add(call);
      } else {
        results.put(call.at(), new Result.Refused(problem));
      }
    }
    try {
      while (!waiting.isEmpty()) {
        Wave wave = Wave.of(waiting);
        write(wave.now(), results);
        waiting = undecided(wave, results);
      }
    } catch (SQLException failed) {
      throw results.anyCommitted() ? unknown(failed) : failed;
    }
    return results.all();
  }

  /** What the statements rely on: a negative expectation would count as met. */
  private static @Nullable String problem(Effects effects) {
    for (Effects.KvWrite write : effects.kv()) {
      String problem = KvLimits.problem(write.collection(), write.key(), write.value());
      if (problem != null) {
        return "kv: " + problem;
      }
      Long expected = write.expected();
      if (expected != null && expected < Effects.ABSENT) {
        return "kv: expected is 0 or more, not " + expected;
      }
    }
    for (Effects.EntityWrite write : effects.entities()) {
      long expected =
          switch (write) {
            case Effects.EntityWrite.Insert insert -> 1;
            case Effects.EntityWrite.Update update -> update.expected();
            case Effects.EntityWrite.Delete delete -> delete.expected();
          };
      if (expected < 1) {
        return "entity " + write.entity() + ": expected is 1 or more, not " + expected;
      }
    }
    for (Effects.NumberingStep step : effects.numbering()) {
      if (step.expected() < Effects.ABSENT || step.last() <= step.expected()) {
        return "numbering %s: from %d to %d is no step forward"
            .formatted(step.rule(), step.expected(), step.last());
      }
    }
    return null;
  }

  /** Those of the later calls that met nobody who was written. */
  private static List<Call> undecided(Wave wave, Results results) {
    List<Call> undecided = new ArrayList<>();
    for (Wave.Later later : wave.later()) {
      Result verdict = null;
      for (Wave.Met met : later.met()) {
        if (verdict == null && results.isCommitted(met.earlier())) {
          verdict = missed(met.target());
        }
      }
      if (verdict == null) {
        undecided.add(later.call());
      } else {
        results.put(later.call().at(), verdict);
      }
    }
    return undecided;
  }

  private static Result missed(Target target) {
    return target instanceof Target.Row ? new Result.Gone() : new Result.Conflict(target.words());
  }

  private void write(List<Call> calls, Results results) throws SQLException {
    List<Call> rest = calls;
    try {
      while (!rest.isEmpty()) {
        rest = attempt(rest, results);
      }
    } catch (SQLException failed) {
      if (SqlFailure.of(failed) != SqlFailure.REFUSED) {
        throw failed;
      }
      if (rest.size() == 1) {
        results.put(rest.getFirst().at(), new Result.Refused(String.valueOf(failed.getMessage())));
        return;
      }
      int half = rest.size() / 2;
      write(rest.subList(0, half), results);
      write(rest.subList(half, rest.size()), results);
    }
  }

  /** One transaction. Returns the calls to be written by another one, fewer than these. */
  private List<Call> attempt(List<Call> calls, Results results) throws SQLException {
    try (Connection connection = database.connection()) {
      connection.setAutoCommit(false);
      boolean committed = false;
      try {
        var transaction = new EffectsTransaction(connection);
        List<Call> held = transaction.held(calls);
        if (held.size() < calls.size()) {
          calls.forEach(call -> results.put(call.at(), new Result.Fenced()));
        }
        Map<Call.At, Target> missed = transaction.write(held);
        missed.forEach((at, target) -> results.put(at, missed(target)));
        if (!missed.isEmpty()) {
          return held.stream().filter(call -> !missed.containsKey(call.at())).toList();
        }
        connection.commit();
        committed = true;
        held.forEach(call -> results.put(call.at(), new Result.Committed()));
        return List.of();
      } finally {
        end(connection, committed);
      }
    }
  }

  private static void end(Connection connection, boolean committed) throws SQLException {
    if (!committed) {
      connection.rollback();
    }
    connection.setAutoCommit(true);
  }

  private static SQLException unknown(SQLException failed) {
    return new SQLException(
        "some calls of the batch are committed, and others are not: " + failed.getMessage(),
        UNKNOWN_STATE,
        failed);
  }
}
