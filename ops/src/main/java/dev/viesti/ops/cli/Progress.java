package dev.viesti.ops.cli;

import java.util.concurrent.atomic.AtomicLong;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.jspecify.annotations.Nullable;

/** A bar on standard error where that is a terminal, nothing elsewhere. */
final class Progress implements AutoCloseable {
  private static final int WIDTH_MAX = 100;

  private final AtomicLong steps = new AtomicLong();
  private final @Nullable ProgressBar bar;

  private Progress(@Nullable ProgressBar bar) {
    this.bar = bar;
  }

  /** The end is not known: lines are counted as they come. */
  static Progress start(Terminal terminal, String unit) {
    if (!terminal.errIsTerminal()) {
      return new Progress(null);
    }
    int width = Math.min(terminal.columns(), WIDTH_MAX);
    return new Progress(
        new ProgressBarBuilder()
            .setTaskName("sent")
            .setUnit(" " + unit, 1)
            .setInitialMax(-1)
            .showSpeed()
            .setConsumer(new ConsoleProgressBarConsumer(System.err, width))
            .build());
  }

  void step(int count) {
    long sum = steps.addAndGet(count);
    if (bar != null) {
      bar.stepTo(sum);
      bar.setExtraMessage("");
    }
  }

  void note(String message) {
    if (bar != null) {
      bar.setExtraMessage(message);
    }
  }

  /** Leaves the bar as it is and goes to the next line; may be called twice. */
  void finish() {
    if (bar != null) {
      bar.close();
    }
  }

  @Override
  public void close() {
    finish();
  }
}
