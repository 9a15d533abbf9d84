package dev.viesti.client;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Tells the cluster that rows were committed: one thread, one connection, at most one {@code
 * NOTIFY} in a while for whatever was committed meanwhile. In the producing transactions a {@code
 * NOTIFY} would make them commit one after the other. Best effort: whoever does not hear it looks
 * by himself a few seconds later. Thread-safe, and {@link #wake} never waits for the database.
 */
final class Waker implements AutoCloseable {
  static final String CHANNEL = "viesti";

  /** "Look everywhere": for more apps than a notification has room for. */
  static final String EVERYWHERE = "*";

  /** PostgreSQL takes less than 8,000 bytes; app ids are ASCII. */
  private static final int PAYLOAD_MAX = 7_900;

  /** A connection that is not used for so long goes back, since the pool may be a small one. */
  private static final Duration IDLE = Duration.ofMillis(100);

  private static final Duration AGAIN_FIRST = Duration.ofMillis(100);
  private static final Duration AGAIN_MAX = Duration.ofSeconds(5);
  private static final Duration CLOSE_MAX = Duration.ofSeconds(1);
  private static final Logger LOG = System.getLogger(Waker.class.getName());

  private final DataSource dataSource;
  private final Duration every;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Set<String> apps = new TreeSet<>();
  private @Nullable Thread thread;
  private boolean closed;

  // the thread's own
  private @Nullable Connection connection;
  private boolean away;

  /**
   * @param every least time between two notifications
   */
  Waker(DataSource dataSource, Duration every) {
    this.dataSource = dataSource;
    this.every = every;
  }

  /** Rows of {@code app} are committed. */
  void wake(String app) {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      if (thread == null) {
        thread = new Thread(this::run, "viesti-client-wake");
        thread.setDaemon(true);
        thread.start();
      }
      if (apps.add(app) && apps.size() == 1) {
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Sends what waits, if that takes no longer than a second. */
  @Override
  public void close() {
    Thread running;
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
      running = thread;
    } finally {
      lock.unlock();
    }
    if (running != null) {
      try {
        running.join(CLOSE_MAX.toMillis());
      } catch (InterruptedException stop) {
        Thread.currentThread().interrupt();
      }
      running.interrupt();
    }
  }

  private void run() {
    Duration pause = every;
    Duration again = AGAIN_FIRST;
    long sentAt = System.nanoTime() - every.toNanos();
    try {
      while (awaitWork(sentAt + pause.toNanos())) {
        sentAt = System.nanoTime();
        if (send()) {
          pause = every;
          again = AGAIN_FIRST;
        } else {
          pause = again;
          again =
              again.multipliedBy(2).compareTo(AGAIN_MAX) > 0 ? AGAIN_MAX : again.multipliedBy(2);
        }
      }
    } catch (InterruptedException stop) {
      LOG.log(Level.DEBUG, "interrupted: the cluster finds the last rows by itself");
    } finally {
      giveBack();
    }
  }

  /** Returns when there is something to send and it is not too early; false at the end. */
  private boolean awaitWork(long notBefore) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (apps.isEmpty() && !closed) {
        if (connection == null) {
          changed.await();
        } else if (changed.awaitNanos(IDLE.toNanos()) <= 0) {
          giveBack();
        }
      }
      long left = notBefore - System.nanoTime();
      while (left > 0 && !closed) {
        left = changed.awaitNanos(left);
      }
      return !apps.isEmpty() && !(closed && away);
    } finally {
      lock.unlock();
    }
  }

  private boolean send() {
    Set<String> taken;
    lock.lock();
    try {
      taken = new TreeSet<>(apps);
      apps.clear();
    } finally {
      lock.unlock();
    }
    try {
      notify(payload(taken));
      if (away) {
        LOG.log(Level.INFO, "the cluster can be told of new events again");
        away = false;
      }
      return true;
    } catch (SQLException | RuntimeException failed) { // a pool may throw anything
      if (!away) {
        LOG.log(
            Level.WARNING,
            "the cluster could not be told of new events ({0}); it finds them by itself",
            failed.getMessage());
        away = true;
      }
      giveBack();
      lock.lock();
      try {
        apps.addAll(taken);
      } finally {
        lock.unlock();
      }
      return false;
    }
  }

  static String payload(Set<String> apps) {
    String joined = String.join(",", apps);
    return joined.length() <= PAYLOAD_MAX ? joined : EVERYWHERE;
  }

  private void notify(String payload) throws SQLException {
    Connection open = connection;
    if (open == null) {
      open = dataSource.getConnection();
      connection = open;
    }
    try (PreparedStatement statement = open.prepareStatement("select pg_notify(?, ?)")) {
      statement.setString(1, CHANNEL);
      statement.setString(2, payload);
      statement.execute();
    }
    if (!open.getAutoCommit()) {
      open.commit();
    }
  }

  private void giveBack() {
    Connection open = connection;
    connection = null;
    if (open != null) {
      try {
        open.close();
      } catch (SQLException broken) {
        LOG.log(Level.DEBUG, "a broken connection could not be closed", broken);
      }
    }
  }
}
