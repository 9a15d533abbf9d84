package dev.viesti.dispatcher.cluster;

import com.typesafe.config.Config;
import dev.viesti.dispatcher.outbox.Statements;
import dev.viesti.persistence.cluster.LeaseRepository;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.coordination.lease.LeaseSettings;
import org.apache.pekko.coordination.lease.javadsl.Lease;

/**
 * The lease that decides which side of a split cluster lives, kept in the database that all nodes
 * share. The split-brain resolver makes it, by the name in {@code viesti-pekko.conf}; it asks for
 * it only when members are unreachable. So of two nodes the one that is left always lives,
 * whichever it is, and of two sides that both live only one goes on.
 *
 * @see <a href="https://pekko.apache.org/docs/pekko/current/split-brain-resolver.html#lease">Pekko:
 *     split-brain resolver, lease</a>
 */
public final class DatabaseLease extends Lease {
  private final LeaseSettings settings;
  private final LeaseRepository repository;
  private final Executor blocking = task -> Thread.ofVirtual().start(task);
  private final AtomicBoolean held = new AtomicBoolean();

  /** Called by Pekko, reflectively. */
  public DatabaseLease(LeaseSettings settings, ExtendedActorSystem system) {
    this.settings = settings;
    Config db =
        system.settings().config().getConfig("pekko-persistence-jdbc.shared-databases.slick.db");
    this.repository =
        new LeaseRepository(db.getString("url"), db.getString("user"), db.getString("password"));
  }

  @Override
  public LeaseSettings getSettings() {
    return settings;
  }

  @Override
  public CompletionStage<Boolean> acquire() {
    return Statements.on(
        blocking,
        () -> {
          boolean mine =
              repository.acquire(settings.leaseName(), settings.ownerName(), timeToLive());
          held.set(mine);
          return mine;
        });
  }

  @Override
  public CompletionStage<Boolean> acquire(Consumer<Optional<Throwable>> leaseLost) {
    return acquire(); // it is held for seconds, by one decision: nobody waits for its loss
  }

  @Override
  public CompletionStage<Boolean> release() {
    return Statements.on(
        blocking,
        () -> {
          held.set(false);
          repository.release(settings.leaseName(), settings.ownerName());
          return true;
        });
  }

  @Override
  public boolean checkLease() {
    return held.get();
  }

  private Duration timeToLive() {
    return Duration.ofMillis(settings.timeoutSettings().getHeartbeatTimeout().toMillis());
  }
}
