package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.execution.Execution.Ended;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A node's way to run the scripts of triggers. Thread-safe; blocks: for virtual threads. */
public interface Scripts {
  /**
   * A call with a reply.
   *
   * @param principal who asks
   */
  record Invocation(
      AppId app,
      long epoch,
      TriggerId trigger,
      Target.Script target,
      Payload payload,
      String principal,
      Duration timeout) {}

  /**
   * What is wrong with a script that is to be registered, with its line and column, or why that
   * cannot be told now; null when it is fine. The first one on a node waits until QuickJS is
   * loaded, which takes seconds.
   */
  @Nullable Refusal check(AppId app, Target.Script target) throws InterruptedException;

  CallEnd invoke(Invocation invocation) throws InterruptedException;

  /**
   * Runs one attempt of a delivery; on success its effects are durable and it is settled.
   *
   * @param row in the version that is settled
   */
  Ended run(Target.Script target, HandlerCall call, Delivery row, Duration timeout)
      throws InterruptedException;
}
