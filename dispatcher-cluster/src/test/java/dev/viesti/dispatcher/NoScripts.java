package dev.viesti.dispatcher;

import dev.viesti.dispatcher.execution.Execution.Ended;
import dev.viesti.dispatcher.plugin.CallEnd;
import dev.viesti.dispatcher.plugin.Scripts;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.Target;
import java.time.Duration;

/** For tests in which no trigger has a script. */
final class NoScripts implements Scripts {
  private static final String WHY = "this node runs no scripts";

  @Override
  public Refusal check(AppId app, Target.Script target) {
    return new Refusal.Invalid("/target", WHY);
  }

  @Override
  public CallEnd invoke(Invocation invocation) {
    return new CallEnd.Unavailable(WHY);
  }

  @Override
  public Ended run(Target.Script target, HandlerCall call, Delivery row, Duration timeout) {
    return new Ended.WithOutcome(new Outcome.Permanent(WHY));
  }
}
