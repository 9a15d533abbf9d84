package dev.viesti.dispatcher.cluster;

import dev.viesti.dispatcher.outbox.Statements;
import dev.viesti.persistence.outbox.HousekeepingRepository;
import dev.viesti.persistence.plugin.ArtifactRepository;
import dev.viesti.protocol.app.AppId;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;
import org.jspecify.annotations.Nullable;

/**
 * The safety net: every now and then the cluster's leader looks for apps that have due rows, and
 * wakes them, wherever they belong. Also forgets event ids that are old enough, and modules that no
 * app uses. It does not ask who owns what: an owner that is awake takes no notice, and one that is
 * thought to live may not.
 */
public final class Sweep {
  /** What a sweep understands; others may only ask it to {@link #lookNow look}. */
  public sealed interface Command {}

  private record Look() implements Command {}

  private record LookNow() implements Command {}

  private record Found(@Nullable List<AppId> apps, @Nullable Throwable failure)
      implements Command {}

  /**
   * @param interval how often to look
   * @param idRetention for how long ids are remembered
   * @param moduleRetention for how long a module without a use is kept after its last upload
   * @param wake tells an app that it has work
   */
  public record Parts(
      HousekeepingRepository tables,
      Duration interval,
      Duration idRetention,
      ArtifactRepository modules,
      Duration moduleRetention,
      Clock clock,
      Executor blocking,
      Consumer<AppId> wake) {}

  /** Apps that one statement looks for, so that none is long. */
  private static final int PAGE = 1_000;

  /** Where a deferred delivery was is of no use after its deadline, but to clocks that differ. */
  private static final Duration DEFERRED_KEPT = Duration.ofHours(1);

  /** Ids forgotten by one statement, so that none is long. */
  private static final int IDS_MAX = 10_000;

  /** Modules deleted by one statement: they are large. */
  private static final int MODULES_MAX = 100;

  private Sweep() {}

  /** Asks for a look before the interval is over, leader or not. */
  public static Command lookNow() {
    return new LookNow();
  }

  /** The behaviour of this node's sweep. */
  public static Behavior<Command> create(Parts parts) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startTimerWithFixedDelay(new Look(), parts.interval());
                  return sweeping(context, parts);
                }));
  }

  private static Behavior<Command> sweeping(ActorContext<Command> context, Parts parts) {
    return Behaviors.receiveMessage(
        command -> {
          switch (command) {
            case Look() -> look(context, parts);
            case LookNow() -> find(context, parts);
            case Found(var apps, var failure) -> {
              if (apps == null) {
                context.getLog().debug("the sweep found no database; it looks again soon", failure);
              } else {
                apps.forEach(parts.wake());
              }
            }
          }
          return Behaviors.same();
        });
  }

  /** One node does what must be done once in a cluster: its leader. Two may for a moment. */
  public static boolean isOnDuty(Cluster cluster) {
    return cluster.selfMember().address().equals(cluster.state().getLeader());
  }

  private static void look(ActorContext<Command> context, Parts parts) {
    if (!isOnDuty(Cluster.get(context.getSystem()))) {
      return;
    }
    find(context, parts);
  }

  private static void find(ActorContext<Command> context, Parts parts) {
    context.pipeToSelf(Statements.on(parts.blocking(), () -> find(parts)), Found::new);
  }

  private static List<AppId> find(Parts parts) throws SQLException {
    Instant now = parts.clock().instant();
    parts.tables().forgetIds(now.minus(parts.idRetention()), IDS_MAX);
    parts.tables().forgetDeferred(now.minus(DEFERRED_KEPT), IDS_MAX);
    parts.modules().sweep(parts.moduleRetention(), MODULES_MAX);
    List<AppId> due = new ArrayList<>();
    List<AppId> page = parts.tables().dueApps(now, null, PAGE);
    while (!page.isEmpty()) {
      due.addAll(page);
      page = page.size() < PAGE ? List.of() : parts.tables().dueApps(now, page.getLast(), PAGE);
    }
    return due;
  }

  /** What {@code outbox_owner.node} says of an owner on this member. */
  public static String nodeName(Member member) {
    return member.uniqueAddress().toString();
  }
}
