package dev.viesti.ops.e2e;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The node processes of a test: their logs are printed when it fails, and none outlives it. */
final class Nodes implements AfterEachCallback {
  private final Queue<NodeProcess> nodes = new ConcurrentLinkedQueue<>();

  NodeProcess add(NodeProcess node) {
    nodes.add(node);
    return node;
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    boolean failed = context.getExecutionException().isPresent();
    for (NodeProcess node : nodes) {
      node.end(failed);
    }
  }
}
