package dev.viesti.persistence.outbox;

/** How a statement finds a row of the outbox by its whole key and version. */
public final class RowVersion {
  /**
   * Of a row {@code d} by a row {@code k} of parameters: {@code app_id}, {@code due} ({@link
   * SqlArrays#micros}), {@code seq} and {@code attempt}. For the end of a subselect: its {@code
   * limit 1} is not pulled up, so the planner has no choice but one look-up by the primary key.
   */
  public static final String IS_NAMED =
      """
      where d.app_id = k.app_id
            and d.due_at = case when k.due = 9223372036854775807 then 'infinity'
              else coalesce(timestamptz 'epoch' + k.due * interval '1 microsecond', '-infinity') end
            and d.seq = k.seq and d.attempt = k.attempt
          limit 1""";

  private RowVersion() {}
}
