package dev.viesti.dispatcher.outbox;

import dev.viesti.persistence.outbox.DeliveryRepository;
import dev.viesti.persistence.outbox.Page;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the pages that a {@link TablePosition} asks for, as far as memory has room. Belongs to one
 * {@link Outbox} and is called on its thread only.
 */
final class PageLoader {
  /**
   * @param nextDue with a complete page of scheduled rows, when the first one beyond it is due
   */
  record Loaded(List<Delivery> rows, boolean complete, @Nullable Instant nextDue) {}

  /** A quarter: two pages and what was written meanwhile still fit. */
  static final int PAGE_SHARE = 4;

  private static final Duration AFTER_FAILURE = Duration.ofSeconds(1);

  private final OutboxParts parts;
  private final Window window;
  private boolean pauses;

  PageLoader(OutboxParts parts, Window window) {
    this.parts = parts;
    this.window = window;
  }

  /**
   * Reads the next page, if there is one to read and room for it.
   *
   * @param certainUpTo rows up to this number are in the table or never will be
   */
  void load(long certainUpTo) {
    TablePosition.Read read =
        window
            .table()
            .next(
                !pauses && window.hasRoomForPage(),
                !pauses && window.mustRead(),
                parts.now(),
                certainUpTo);
    if (read != null) {
      parts.ask(() -> readPage(read), Outbox.Loaded::new);
    }
  }

  void loaded(@Nullable Loaded page, @Nullable Throwable failure) {
    if (page == null) {
      window.table().failed();
      pauses = true;
      parts
          .log()
          .warn(
              "app {} could not read its outbox ({}); trying again soon",
              parts.app(),
              OutboxParts.why(failure));
      parts.timers().startSingleTimer(new Outbox.LoadAgain(), AFTER_FAILURE);
      return;
    }
    window.admitPage(window.table().loaded(page.rows(), page.complete(), page.nextDue()));
  }

  /** The pause after a failure is over. */
  void again() {
    pauses = false;
  }

  /**
   * When {@link #load} must be called for rows that become due; null when it need not be. Without
   * room there is nothing to wake up for: the next row that is settled makes some.
   */
  @Nullable Instant nextRead() {
    boolean room = !pauses && window.hasRoomForPage() && !window.table().reading();
    return room ? window.table().nextScheduledRead() : null;
  }

  private Loaded readPage(TablePosition.Read read) throws SQLException {
    DeliveryRepository repository = parts.owners().tables().deliveries();
    AppId app = parts.app();
    int rows = parts.settings().pageRows();
    long bytes = parts.settings().windowBytes() / PAGE_SHARE;
    return switch (read) {
      case TablePosition.Read.Heads(var due, var seq) ->
          loaded(repository.orderedHeads(app, due, seq, rows, bytes));
      case TablePosition.Read.AtOnce(var seq) -> loaded(repository.atOnce(app, seq, rows, bytes));
      case TablePosition.Read.Scheduled(var until, var due, var seq) -> {
        Page page = repository.scheduled(app, until, due, seq, rows, bytes);
        yield new Loaded(
            page.rows(), page.complete(), page.complete() ? repository.nextDue(app, until) : null);
      }
    };
  }

  private static Loaded loaded(Page page) {
    return new Loaded(page.rows(), page.complete(), null);
  }
}
