package dev.viesti.ops.http;

import dev.viesti.dispatcher.OutcomeNotice;
import dev.viesti.dispatcher.Viesti;
import dev.viesti.ops.api.ApiSettings;
import dev.viesti.ops.api.StreamText;
import dev.viesti.ops.metrics.Metrics;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.QueueOfferResult;
import org.apache.pekko.stream.SharedKillSwitch;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Clients that listen to outcomes. Each has a bounded buffer of its own: a slow one loses outcomes
 * and is told how many, the engine never waits for it.
 */
final class OutcomeStreams {
  private static final Logger LOG = LoggerFactory.getLogger(OutcomeStreams.class);

  private final Viesti viesti;
  private final ApiSettings settings;
  private final AtomicInteger clients;
  private final Executor executor;
  private final SharedKillSwitch end = KillSwitches.shared("outcome-streams");

  OutcomeStreams(Viesti viesti, Metrics metrics, ApiSettings settings, ActorSystem<?> system) {
    this.viesti = viesti;
    this.settings = settings;
    this.clients = metrics.streamClients();
    this.executor = system.executionContext();
  }

  /** A response that goes on until the client goes or the node stops. */
  HttpResponse open(Predicate<OutcomeNotice> filter) {
    AtomicLong dropped = new AtomicLong();
    Source<ByteString, NotUsed> outcomes =
        Source.<OutcomeNotice>queue(settings.streamBufferMax())
            .watchTermination(Keep.both())
            .mapMaterializedValue(
                running -> {
                  AutoCloseable subscription = subscribe(running.first(), filter, dropped);
                  running
                      .second()
                      .whenCompleteAsync((done, failure) -> close(subscription), executor);
                  return NotUsed.getInstance();
                })
            // a drop means a full buffer, so there is always a next outcome to report it with
            .mapConcat(notice -> texts(notice, dropped.getAndSet(0)));
    Source<ByteString, NotUsed> stream =
        Source.single(ByteString.fromString(StreamText.OPENING))
            .concat(outcomes)
            .keepAlive(
                settings.streamHeartbeat(), () -> ByteString.fromString(StreamText.HEARTBEAT))
            .via(end.flow());
    return HttpResponse.create()
        .withEntity(HttpEntities.createChunked(ContentTypes.parse(StreamText.MEDIA_TYPE), stream));
  }

  private AutoCloseable subscribe(
      BoundedSourceQueue<OutcomeNotice> queue,
      Predicate<OutcomeNotice> filter,
      AtomicLong dropped) {
    clients.incrementAndGet();
    return viesti.subscribe(
        notice -> {
          if (filter.test(notice) && queue.offer(notice).equals(QueueOfferResult.dropped())) {
            dropped.incrementAndGet();
          }
        });
  }

  private static List<ByteString> texts(OutcomeNotice notice, long dropped) {
    ByteString outcome = ByteString.fromString(StreamText.outcome(notice));
    return dropped == 0
        ? List.of(outcome)
        : List.of(ByteString.fromString(StreamText.dropped(dropped)), outcome);
  }

  private void close(AutoCloseable subscription) {
    clients.decrementAndGet();
    try {
      subscription.close();
    } catch (Exception failed) {
      LOG.warn(
          "a stream's subscription could not be closed; it lives on until the node stops", failed);
    }
  }

  /** Ends every stream; their clients come back to a node that is there. */
  void end() {
    end.shutdown();
  }
}
