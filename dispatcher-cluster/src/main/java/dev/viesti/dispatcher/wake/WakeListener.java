package dev.viesti.dispatcher.wake;

import dev.viesti.persistence.wake.WakeUps;
import dev.viesti.protocol.app.AppId;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread that listens for clients' wake-ups and tells the apps. Only the node on duty (the
 * cluster's leader, as for the sweep) listens: were it every node, each wake-up would reach its
 * owner once per node; were it each node for its own apps, an app that sleeps would be woken by
 * nobody. What is missed while the duty or the connection changes, the sweep finds; after
 * connecting it is asked to look at once.
 */
public final class WakeListener implements AutoCloseable {
  /**
   * @param onDuty whether this node listens
   * @param wake tells an app that it has work
   * @param everywhere looks for apps with work at once
   */
  public record Parts(
      Opening opening, BooleanSupplier onDuty, Consumer<AppId> wake, Runnable everywhere) {}

  /** Connects. */
  @FunctionalInterface
  public interface Opening {
    WakeUps open() throws SQLException;
  }

  /** "Look everywhere": a client had more apps than a notification has room for. */
  private static final String EVERYWHERE = "*";

  /** How long a change of the duty may go unnoticed, and how long closing may take. */
  private static final Duration LOOK_EVERY = Duration.ofMillis(500);

  private static final Duration AGAIN_MAX = Duration.ofSeconds(30);

  /** An idle connection is tried as often as this many looks: every 10 s. */
  private static final int CHECK_LOOKS = 20;

  private static final Duration CLOSE_MAX = Duration.ofSeconds(2);
  private static final Logger LOG = LoggerFactory.getLogger(WakeListener.class);

  private final Parts parts;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread;

  private WakeListener(Parts parts) {
    this.parts = parts;
    this.thread = Thread.ofPlatform().name("viesti-wake").daemon().unstarted(this::run);
  }

  /** Starts the thread; returns at once. */
  public static WakeListener start(Parts parts) {
    var listener = new WakeListener(parts);
    listener.thread.start();
    return listener;
  }

  private void run() {
    Duration again = LOOK_EVERY;
    boolean away = false;
    try {
      while (!closed(again)) {
        if (!parts.onDuty().getAsBoolean()) {
          again = LOOK_EVERY;
          continue;
        }
        try (WakeUps wakeUps = parts.opening().open()) {
          away = false;
          again = LOOK_EVERY;
          parts.everywhere().run(); // what was announced while nobody listened
          listen(wakeUps);
        } catch (SQLException failed) {
          again =
              again.multipliedBy(2).compareTo(AGAIN_MAX) > 0 ? AGAIN_MAX : again.multipliedBy(2);
          if (!away) {
            LOG.warn(
                "wake-ups of clients are not heard ({}); the sweep finds their rows meanwhile",
                failed.getMessage());
          }
          away = true;
        }
      }
    } catch (InterruptedException stop) {
      LOG.debug("the listener for wake-ups was interrupted");
    }
  }

  private boolean closed(Duration patience) throws InterruptedException {
    return closing.await(patience.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void listen(WakeUps wakeUps) throws SQLException {
    int quiet = 0;
    while (closing.getCount() > 0 && parts.onDuty().getAsBoolean()) {
      List<String> payloads = wakeUps.await(LOOK_EVERY);
      tell(payloads);
      quiet = payloads.isEmpty() ? quiet + 1 : 0;
      if (quiet >= CHECK_LOOKS) {
        quiet = 0;
        wakeUps.check();
      }
    }
  }

  private void tell(List<String> payloads) {
    Set<String> names = new LinkedHashSet<>(); // those of one moment, each app once
    payloads.forEach(payload -> names.addAll(List.of(payload.split(",", -1))));
    if (names.contains(EVERYWHERE)) {
      parts.everywhere().run();
      return;
    }
    for (String name : names) {
      AppId app = appOrNull(name);
      if (app != null) {
        parts.wake().accept(app);
      }
    }
  }

  /** Anybody with a connection may notify anything. */
  private static @Nullable AppId appOrNull(String name) {
    try {
      return new AppId(name);
    } catch (IllegalArgumentException foreign) {
      LOG.debug("a wake-up names no app: {}", foreign.getMessage());
      return null;
    }
  }

  /** Begins to close; does not wait for it. */
  public void stop() {
    closing.countDown();
  }

  @Override
  public void close() {
    stop();
    try {
      if (!thread.join(CLOSE_MAX)) {
        thread.interrupt();
      }
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
    }
  }
}
