package dev.viesti.ops.cli.launch;

import java.net.URI;
import java.util.concurrent.CompletionStage;

/** A node in this JVM that answers. */
public interface RunningNode extends AutoCloseable {
  /** Where the API listens, with the port that was taken. */
  URI api();

  /** Where the management port listens. */
  URI management();

  /** Completes when the node has ended, whoever ended it. */
  CompletionStage<?> terminated();

  /** Stops taking work, lets running executions end, settles, leaves. May be called twice. */
  @Override
  void close();
}
