package dev.viesti.dispatcher.outbox;

import dev.viesti.dispatcher.OutcomeNotice;
import dev.viesti.dispatcher.commit.OutboxWriter;
import dev.viesti.dispatcher.commit.SeqBlocks;
import dev.viesti.dispatcher.commit.Settler;
import dev.viesti.dispatcher.execution.Gate;
import dev.viesti.dispatcher.metrics.Telemetry;
import dev.viesti.dispatcher.target.Targets;
import dev.viesti.persistence.deadletter.DeadLetterRepository;
import dev.viesti.persistence.outbox.ClientRowRepository;
import dev.viesti.persistence.outbox.DeliveryRepository;
import dev.viesti.persistence.outbox.HousekeepingRepository;
import dev.viesti.persistence.outbox.OwnerRepository;
import java.time.Clock;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * What all owners of a node share.
 *
 * @param node what {@code outbox_owner.node} says while an owner is here
 * @param ticker nanoseconds that only grow, whatever happens to the clock
 * @param alarms wakes owners to the millisecond; what it runs may only post
 * @param blocking where statements run: never an actor's dispatcher
 * @param ids fresh UUIDv7s, for dead letters
 */
public record Owners(
    String node,
    OutboxSettings settings,
    Tables tables,
    Commits commits,
    Gate gate,
    Targets targets,
    Telemetry telemetry,
    Notices notices,
    Clock clock,
    LongSupplier ticker,
    RandomGenerator random,
    Supplier<UUID> ids,
    ScheduledExecutorService alarms,
    Executor blocking) {
  /** What owners read and write beside the group commits. */
  public record Tables(
      OwnerRepository owners,
      DeliveryRepository deliveries,
      ClientRowRepository clientRows,
      DeadLetterRepository deadLetters,
      HousekeepingRepository housekeeping) {}

  /** The node's group commits. */
  public record Commits(OutboxWriter writer, Settler settler, SeqBlocks seqs) {}

  /**
   * Where outcomes are shown.
   *
   * @param wanted whether anybody looks: notices cost something to make
   */
  public record Notices(BooleanSupplier wanted, Consumer<List<OutcomeNotice>> show) {}
}
