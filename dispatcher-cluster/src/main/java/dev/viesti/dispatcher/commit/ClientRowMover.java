package dev.viesti.dispatcher.commit;

import dev.viesti.persistence.SqlFailure;
import dev.viesti.persistence.outbox.ClientRowRepository;
import dev.viesti.persistence.outbox.Insert;
import dev.viesti.protocol.delivery.Delivery;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Replaces clients' rows by rows of their owner's, on the writer's lane and with its numbers. */
final class ClientRowMover {
  private static final Logger LOG = LoggerFactory.getLogger(ClientRowMover.class);

  private final ClientRowRepository repository;

  ClientRowMover(ClientRowRepository repository) {
    this.repository = repository;
  }

  void move(Write.Move move, List<Long> numbers) {
    move.done().accept(result(move, numbers.iterator()));
  }

  private Write.Result result(Write.Move move, Iterator<Long> seqs) {
    try {
      List<ClientRowRepository.Move> moves = new ArrayList<>(move.moves().size());
      List<List<Delivery>> placed = new ArrayList<>(move.moves().size());
      for (Write.Moving row : move.moves()) {
        List<Delivery> into =
            row.routes().stream().map(route -> place(row, route, seqs.next())).toList();
        placed.add(into);
        moves.add(
            new ClientRowRepository.Move(
                row.row().seq(), into.stream().map(ClientRowMover::placed).toList()));
      }
      var moved = repository.move(move.app(), move.epoch(), moves);
      if (moved.fenced()) {
        return new Write.Result.Fenced();
      }
      List<Delivery> there = new ArrayList<>();
      for (int i = 0; i < moves.size(); i++) {
        if (moved.gone().contains(moves.get(i).seq())) {
          there.addAll(placed.get(i));
        }
      }
      return new Write.Result.Moved(there);
    } catch (SQLException failed) {
      LOG.warn(
          "{} rows of clients of app {} were not placed ({}); they are read again",
          move.moves().size(),
          move.app(),
          failed.getMessage());
      return new Write.Result.Failed(SqlFailure.of(failed), OutboxWriter.message(failed));
    }
  }

  private static Delivery place(Write.Moving row, Insert.Route route, long seq) {
    return Delivery.fresh(
            seq,
            row.row().event().deliveredAt(null),
            route.trigger(),
            route.orderingKey(),
            row.row().acceptedAt())
        .dueAt(row.dueAt());
  }

  private static ClientRowRepository.Placed placed(Delivery row) {
    return new ClientRowRepository.Placed(row.seq(), row.trigger(), row.orderingKey(), row.dueAt());
  }
}
