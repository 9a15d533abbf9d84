package dev.viesti.dispatcher.execution;

import dev.viesti.protocol.delivery.Outcome;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

/**
 * One attempt, on a virtual thread of its own. It reports exactly once, also when it was cancelled,
 * unless the thread never ends: whoever starts it watches the time and ignores late reports.
 */
public final class Execution {
  /** How the work of an attempt ended. */
  public sealed interface Ended {
    /** The outcome is still to be settled. */
    record WithOutcome(Outcome outcome) implements Ended {}

    /** It succeeded, and its own transaction has settled the delivery. */
    record Settled() implements Ended {}

    /** Its effects were rolled back: the delivery had been settled before. */
    record Gone() implements Ended {}

    /** Its effects were rolled back: the epoch was not the owner's any more. */
    record Fenced() implements Ended {}
  }

  private final Thread thread;

  private Execution(Thread thread) {
    this.thread = thread;
  }

  /**
   * @param report called on the execution's thread, at its end
   */
  public static Execution start(String name, Callable<Ended> work, Consumer<Ended> report) {
    return new Execution(Thread.ofVirtual().name(name).start(() -> report.accept(run(work))));
  }

  /** Interrupts the work; without effect on a thread that has ended. */
  public void cancel() {
    thread.interrupt();
  }

  private static Ended run(Callable<Ended> work) {
    try {
      return work.call();
    } catch (InterruptedException cancelled) {
      return failed("interrupted");
    } catch (Exception failed) {
      return failed(describe(failed));
    } catch (StackOverflowError | AssertionError | LinkageError broken) {
      return failed(describe(broken));
    }
  }

  private static Ended failed(String reason) {
    return new Ended.WithOutcome(new Outcome.Retryable(reason));
  }

  private static String describe(Throwable failed) {
    String message = failed.getMessage();
    return message == null || message.isBlank()
        ? failed.getClass().getName()
        : failed.getClass().getSimpleName() + ": " + message;
  }
}
