package dev.viesti.dispatcher.outbox;

import dev.viesti.persistence.outbox.DeliveryRepository;
import dev.viesti.persistence.outbox.Page;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Reads the pages that a {@link TablePosition} asks for. */
final class PageLoader {
  /**
   * @param nextDue with a complete page of scheduled rows, when the first one beyond it is due
   */
  record Loaded(List<Delivery> rows, boolean complete, @Nullable Instant nextDue) {}

  /** A quarter: two pages and what was written meanwhile still fit. */
  static final int PAGE_SHARE = 4;

  private final Owners owners;
  private final AppId app;

  PageLoader(Owners owners, AppId app) {
    this.owners = owners;
    this.app = app;
  }

  CompletableFuture<Loaded> load(TablePosition.Read read) {
    return Statements.on(owners.blocking(), () -> readPage(read));
  }

  private Loaded readPage(TablePosition.Read read) throws SQLException {
    DeliveryRepository repository = owners.tables().deliveries();
    int rows = owners.settings().pageRows();
    long bytes = owners.settings().windowBytes() / PAGE_SHARE;
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
