package dev.viesti.dispatcher.outbox;

import dev.viesti.dispatcher.commit.Write;
import dev.viesti.persistence.SqlFailure;
import dev.viesti.persistence.outbox.ClientRow;
import dev.viesti.persistence.outbox.ClientRowRepository;
import dev.viesti.persistence.outbox.ClientRowRepository.ClientPage;
import dev.viesti.persistence.outbox.ClientRowRepository.Horizon;
import dev.viesti.persistence.outbox.Insert;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Event;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How rows that clients wrote come into an outbox: reads them ({@link ClientRows}), has the app
 * route them, and takes them. A row with one match that is due now and has no ordering key runs as
 * it is. Every other row is replaced, in one fenced transaction, by rows of the owner's own: one
 * per match, maybe none. An ordering key is a reason because order is by number, and only the
 * owner's own numbers are in the order of their commits. Belongs to one {@link Outbox} and is
 * called on its thread only.
 */
final class ClientRowIntake {
  /** What became of what it asked for. */
  sealed interface News extends Outbox.Command {}

  record Loaded(@Nullable Found page, @Nullable Throwable failure) implements News {}

  record Routed(long token, List<List<Insert.Route>> routes) implements News {}

  /** It is time to read again what was read in part. */
  record Owed() implements News {}

  /** A page, and the horizon that was taken before it. */
  record Found(@Nullable Horizon horizon, ClientPage page) {}

  /** Rows that wait for their routes. */
  private record Asked(long token, List<ClientRow> rows, Instant at) {}

  /** An app that restarts loses what it was asked: it is asked again after this. */
  private static final Duration ROUTING_MAX = Duration.ofSeconds(10);

  /** About what a row of a statement weighs besides its texts, which are in the table already. */
  private static final long MOVE_BYTES = 128;

  private final OutboxParts parts;
  private final Window window;
  private final OutboxIntake intake;
  private final ClientRows rows = new ClientRows();
  private final ArrayDeque<Write.Moving> toMove = new ArrayDeque<>();
  private final List<Long> doubtful = new ArrayList<>();
  private @Nullable Asked asked;
  private long tokens;
  private boolean moving;

  ClientRowIntake(OutboxParts parts, Window window, OutboxIntake intake) {
    this.parts = parts;
    this.window = window;
    this.intake = intake;
  }

  /** There may be rows that nobody has read; also asked every now and then. */
  void mayWait() {
    Asked open = asked;
    if (open != null && now().isAfter(open.at().plus(ROUTING_MAX))) {
      asked = null;
      rows.again(numbers(open.rows()), now());
    }
    rows.mayWait();
  }

  /** Nothing is on its way to the window.table(). */
  boolean quiet() {
    return !moving;
  }

  /** As far as this owner knows, there is no row of a client. */
  boolean isEmpty() {
    return rows.quiet();
  }

  /** When to read again without being told; null when there is no need to. */
  @Nullable Instant owedAt() {
    return rows.owedAt();
  }

  /** A row that ran as it was is gone, or has a time of its own now. */
  void left(long seq) {
    rows.left(seq);
  }

  /**
   * Goes on with what there is to do. Heads of ordering keys come first: a client's row must not
   * overtake the retried one before it.
   */
  void goOn(long epoch) {
    move(epoch);
    boolean room = window.hasRoomForPage() && asked == null && toMove.isEmpty() && !moving;
    ClientRows.Read read = rows.next(room && window.table().knowsHeads(), now());
    if (read != null) {
      parts.ask(() -> load(read), Loaded::new);
    }
  }

  private Found load(ClientRows.Read read) throws java.sql.SQLException {
    OutboxSettings settings = parts.settings();
    ClientRowRepository repository = parts.owners().tables().clientRows();
    Horizon horizon = read.horizon() ? repository.horizon() : null;
    long bytes = settings.windowBytes() / PageLoader.PAGE_SHARE;
    return new Found(
        horizon, repository.read(parts.app(), read.afterSeq(), settings.pageRows(), bytes));
  }

  void loaded(@Nullable Found loaded, @Nullable Throwable failure) {
    if (loaded == null) {
      rows.failed(now());
      parts
          .log()
          .warn(
              "app {} could not read its clients' rows ({})",
              parts.app(),
              OutboxParts.why(failure));
      return;
    }
    List<ClientRow> fresh = rows.loaded(loaded.horizon(), loaded.page(), now());
    if (fresh.isEmpty()) {
      return;
    }
    long token = ++tokens;
    asked = new Asked(token, fresh, now());
    List<Event> events = fresh.stream().map(ClientRow::event).toList();
    var self = parts.context().getSelf();
    parts.parent().route(events, routes -> self.tell(new Routed(token, routes)));
  }

  /** An answer that came too late has another token than what is asked now. */
  void routed(long token, List<List<Insert.Route>> routes) {
    Asked open = asked;
    if (open == null || open.token() != token) {
      return;
    }
    asked = null;
    Instant now = now();
    for (int i = 0; i < open.rows().size(); i++) {
      ClientRow row = open.rows().get(i);
      Instant due = row.event().deliverAt();
      boolean later = due != null && due.isAfter(now);
      List<Insert.Route> matches = routes.get(i);
      if (matches.size() == 1 && !later && matches.getFirst().orderingKey() == null) {
        window.admit(row.asItIs(matches.getFirst().trigger()));
        intake.grew(1);
      } else {
        toMove.add(new Write.Moving(row, matches, later ? due : null));
      }
    }
  }

  /** One group at a time: were it to fail with the next one under way, keys would lose order. */
  private void move(long epoch) {
    if (moving || toMove.isEmpty()) {
      return;
    }
    List<Write.Moving> group = new ArrayList<>();
    while (!toMove.isEmpty() && group.size() < Write.Move.ROWS_MAX) {
      group.add(toMove.remove());
    }
    long bytes = group.stream().mapToLong(row -> MOVE_BYTES * (1 + row.routes().size())).sum();
    moving = true;
    var write = new InFlight.Sent(epoch, result -> moved(group, result));
    intake.submit(
        write,
        new Write.Move(
            parts.app(),
            epoch,
            group,
            bytes,
            result -> parts.posts().post(new Outbox.Written(write, result))),
        () -> {
          moving = false;
          giveBack(group);
        });
  }

  private InFlight.After moved(List<Write.Moving> group, Write.Result result) {
    moving = false;
    return switch (result) {
      case Write.Result.Moved(var placed) -> {
        rows.succeeded();
        group.forEach(row -> rows.left(row.row().seq()));
        take(placed);
        yield InFlight.After.NOTHING;
      }
      case Write.Result.Fenced fenced -> {
        giveBack(group);
        yield InFlight.After.RENEW;
      }
      case Write.Result.Failed(var failure, var detail) -> {
        if (failure == SqlFailure.UNKNOWN) {
          group.forEach(row -> doubtful.add(row.row().seq()));
          group.stream().map(Write.Moving::dueAt).forEach(this::maybeThere);
          giveBack(List.of());
          yield intake.doubt(failure);
        }
        parts.log().warn("app {} could not place its clients' rows ({})", parts.app(), detail);
        giveBack(group);
        yield InFlight.After.NOTHING;
      }
      case Write.Result.Accepted accepted -> throw wrong(result);
      case Write.Result.Replayed replayed -> throw wrong(result);
    };
  }

  private static IllegalStateException wrong(Write.Result result) {
    return new IllegalStateException("a move was answered with " + result);
  }

  private void maybeThere(@Nullable Instant due) {
    if (due != null) {
      window.table().dropped(due);
    }
  }

  /** The lost statement has taken effect by now, or never will. */
  void certain() {
    rows.again(doubtful, now());
    doubtful.clear();
  }

  private void take(List<Delivery> placed) {
    intake.take(placed.stream().filter(row -> row.dueAt() == null).toList());
    for (Delivery row : placed) {
      Instant due = row.dueAt();
      if (due != null) {
        intake.grew(1);
        if (window.table().near(due, now()) && window.hasRoom()) {
          window.admit(row);
        } else {
          window.table().dropped(due);
        }
      }
    }
  }

  /** What follows goes back as well, so that it does not overtake. */
  private void giveBack(List<Write.Moving> group) {
    List<ClientRow> back = new ArrayList<>();
    group.forEach(row -> back.add(row.row()));
    toMove.forEach(row -> back.add(row.row()));
    toMove.clear();
    rows.again(numbers(back), now());
  }

  private static Collection<Long> numbers(List<ClientRow> rows) {
    return rows.stream().map(ClientRow::seq).toList();
  }

  private Instant now() {
    return parts.now();
  }
}
