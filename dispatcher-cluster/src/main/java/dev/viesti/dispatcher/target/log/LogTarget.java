package dev.viesti.dispatcher.target.log;

import dev.viesti.dispatcher.target.TargetRunner;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.Target;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes one line per delivery to the node's log, without the data: it may hold secrets. */
public final class LogTarget implements TargetRunner<Target.Log> {
  private static final Logger LOG = LoggerFactory.getLogger(LogTarget.class);

  @Override
  public Outcome run(Target.Log target, HandlerCall call, Duration timeout) {
    LOG.info(
        "app {} trigger {} delivery {} attempt {}: {} from {} subject {} ({} bytes)",
        call.app(),
        call.trigger(),
        call.delivery(),
        call.attempt(),
        call.event().type(),
        call.event().source(),
        call.event().subject(),
        call.event().data().size());
    return Outcome.Succeeded.PLAIN;
  }
}
