package dev.viesti.persistence.outbox;

import dev.viesti.protocol.app.AppId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The apps that a group of changes is for, numbered from 1, each with the epoch of its owner. */
public final class Fence {
  /**
   * The owner rows that still have the claimed epoch, locked so that no other owner can take over
   * before the end of the transaction. {@code lateral … limit 1} pins one look-up by key per app: a
   * plain join was planned as a scan of all owners while the table was small.
   */
  public static final String OWNED =
      """
      owned as materialized (
        select claimed.n::int as n, claimed.app_id
        from unnest(?::text[], ?::bigint[]) with ordinality as claimed(app_id, epoch, n),
          lateral (
            select from outbox_owner o
            where o.app_id = claimed.app_id and o.epoch = claimed.epoch
            limit 1
            for share
          ) as held
      )""";

  /** The same for one app, which most groups are for: a look-up by key, and no arrays. */
  static final String OWNED_BY_ONE =
      """
      owned as materialized (
        select 1 as n from outbox_owner o where o.app_id = ? and o.epoch = ? limit 1 for share
      )""";

  record Claimed(AppId app, long epoch) {}

  private final Map<Claimed, Integer> numbers = new LinkedHashMap<>();

  /** The number of an app at an epoch: the next one when it is new. */
  public int number(AppId app, long epoch) {
    return numbers.computeIfAbsent(new Claimed(app, epoch), claimed -> numbers.size() + 1);
  }

  int size() {
    return numbers.size();
  }

  /** Binds the two parameters of {@link #OWNED_BY_ONE}. */
  void bindOne(SqlArrays arrays) throws java.sql.SQLException {
    Claimed claimed = numbers.keySet().iterator().next();
    arrays.text(claimed.app().value());
    arrays.number(claimed.epoch());
  }

  /** Binds the two parameters of {@link #OWNED}. */
  public void bind(SqlArrays arrays) throws java.sql.SQLException {
    List<Claimed> claims = new ArrayList<>(numbers.keySet());
    arrays.texts(claims, claimed -> claimed.app().value());
    arrays.longs(claims, Claimed::epoch);
  }
}
