package dev.viesti.ops.server;

import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.actor.ActorSystem;

/**
 * {@code /ready} and {@code /startup} of the management port: a member of the cluster, with its
 * database there. Made by Pekko Management; named in {@link NodeConfig}.
 */
public final class ReadyCheck implements Supplier<CompletionStage<Boolean>> {
  private final ActorSystem system;

  /** Called by Pekko Management, by reflection. */
  public ReadyCheck(ActorSystem system) {
    this.system = system;
  }

  @Override
  public CompletionStage<Boolean> get() {
    return NodeHealth.of(system).ready();
  }
}
