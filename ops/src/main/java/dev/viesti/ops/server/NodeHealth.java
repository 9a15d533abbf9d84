package dev.viesti.ops.server;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.actor.AbstractExtensionId;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.Extension;

/**
 * Where the health checks, which Pekko Management makes by their class names, find the node of
 * their actor system. Not ready until {@link #is} was called.
 */
final class NodeHealth implements Extension {
  private static final Id ID = new Id();

  private volatile Supplier<CompletionStage<Boolean>> ready =
      () -> CompletableFuture.completedStage(false);

  static NodeHealth of(ActorSystem system) {
    return ID.get(system);
  }

  void is(Supplier<CompletionStage<Boolean>> check) {
    this.ready = check;
  }

  CompletionStage<Boolean> ready() {
    return ready.get();
  }

  private static final class Id extends AbstractExtensionId<NodeHealth> {
    @Override
    public NodeHealth createExtension(ExtendedActorSystem system) {
      return new NodeHealth();
    }
  }
}
