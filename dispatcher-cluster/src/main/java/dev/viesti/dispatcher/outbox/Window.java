package dev.viesti.dispatcher.outbox;

import dev.viesti.dispatcher.metrics.Telemetry;
import dev.viesti.protocol.delivery.Delivery;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;

/**
 * Which rows of an outbox are in memory ({@link Ledger}), which are only in the table ({@link
 * TablePosition}), and how many of them memory has room for. Belongs to one owner; not thread-safe.
 */
final class Window {
  /** How far beyond its limit memory may grow for rows that others in it wait for. */
  private static final int REWOUND_PAGES = 2;

  private final OutboxSettings settings;
  private final InstantSource clock;
  private final Ledger ledger = new Ledger();
  private final TablePosition table;
  private OutboxPolicy policy;

  Window(OutboxSettings settings, InstantSource clock, OutboxPolicy policy) {
    this.settings = settings;
    this.clock = clock;
    this.table = new TablePosition(settings.horizon());
    this.policy = policy;
    ledger.prioritise(policy::priority);
  }

  void configure(OutboxPolicy changed) {
    policy = changed;
    ledger.prioritise(changed::priority);
  }

  Ledger ledger() {
    return ledger;
  }

  TablePosition table() {
    return table;
  }

  /** For those who watch; looks through all rows. */
  Telemetry.OwnerState state(long pending) {
    Instant oldest =
        ledger.rows().map(Delivery::acceptedAt).min(Comparator.naturalOrder()).orElse(null);
    return new Telemetry.OwnerState(pending, ledger.running(), oldest);
  }

  // ---- room

  boolean hasRoom() {
    return ledger.window().rows() < settings.windowRows()
        && ledger.window().bytes() < settings.windowBytes();
  }

  boolean hasRoomForPage() {
    return ledger.window().rows() + settings.pageRows() <= settings.windowRows()
        && ledger.window().bytes() + settings.windowBytes() / PageLoader.PAGE_SHARE
            <= settings.windowBytes();
  }

  /**
   * Whether a fresh row may pass those that are only in the table: it has a priority and no order,
   * and the reserve for such rows has room. What is in the reserve takes no room from others.
   */
  private boolean mayPass(Delivery row) {
    return row.orderingKey() == null
        && policy.priority(row.trigger()) > 0
        && ledger.reserve().rows() < settings.pageRows()
        && ledger.reserve().bytes() + row.weight() <= settings.reserveBytes();
  }

  /** Whether a page may be read though memory is full: rows in memory wait for those in it. */
  boolean mustRead() {
    return (table.rewound() || ledger.waitsForRows())
        && ledger.window().rows() < settings.windowRows() + REWOUND_PAGES * settings.pageRows();
  }

  // ---- rows that come

  void admit(Delivery row) {
    ledger.admit(row, clock.instant());
  }

  /** A fresh row for which the window has no room: it is left to the table, unless it may pass. */
  void admitAhead(Delivery row) {
    if (mayPass(row)) {
      ledger.admitInReserve(row, clock.instant());
    }
  }

  /** Rows of a page, read while it is known that the table has all others up to that number. */
  void admitPage(List<Delivery> rows) {
    rows.forEach(this::admit);
    known();
  }

  /** What is read of the table has changed. */
  void known() {
    ledger.knownUpTo(table.knownUpTo(), table.atOnceUpTo(), clock.instant());
  }

  // ---- rows that go

  /** The row is not in the table any more, or only there. */
  void left(Delivery row) {
    ledger.gone(row.seq(), clock.instant());
    table.left(row.seq());
  }

  /**
   * A row was not there in the version that was named. Most likely it is settled; but it may have
   * been marked at that very moment, so the table has the last word.
   */
  void lookAgain(Delivery row) {
    left(row);
    if (row.dueAt() == null) {
      table.rewind(row.seq());
      known();
    } else if (!row.isUnrouted()) {
      table.dropped(row.dueAt());
    }
  }

  /**
   * A row has a new version in the table.
   *
   * @param missed it was not there in its old version: it has its new one since a commit whose
   *     answer was lost, or it is gone; the table will tell when it is due. A row with an ordering
   *     key stays in memory all the same, for others wait behind it
   */
  void waitsAgain(Delivery next, boolean missed) {
    boolean near = !missed && table.near(next.dueAt(), clock.instant());
    if (next.dueAt() == null || next.orderingKey() != null || near) {
      ledger.retried(next, clock.instant());
    } else {
      left(next);
      table.dropped(next.dueAt());
    }
  }

  /** Known, not counted: no row is in memory, and none in the table only. */
  boolean isEmpty() {
    return ledger.size() == 0 && !table.behind() && table.nextScheduledRead() == null;
  }
}
