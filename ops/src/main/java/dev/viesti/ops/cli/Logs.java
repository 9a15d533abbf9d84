package dev.viesti.ops.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.io.PrintWriter;
import org.slf4j.LoggerFactory;

/** What the commands that are no servers let into the log. */
final class Logs {
  private Logs() {}

  /** The command itself says what it did; only what is wrong shall stand between its lines. */
  static void onlyWarnings() {
    only(Level.WARN);
  }

  /** For the end of a command that is interrupted: whatever breaks then is to be expected. */
  static void nothing() {
    only(Level.OFF);
  }

  /** What plugins write to their log goes to people, and nothing of it between the answers. */
  static void pluginsTo(PrintWriter err) {
    onlyWarnings();
    if (LoggerFactory.getLogger("dev.viesti.plugin") instanceof Logger logger) {
      var appender =
          new AppenderBase<ILoggingEvent>() {
            @Override
            protected void append(ILoggingEvent line) {
              err.println(line.getLevel() + " " + line.getFormattedMessage());
            }
          };
      appender.setContext(logger.getLoggerContext());
      appender.start();
      logger.detachAndStopAllAppenders();
      logger.addAppender(appender);
      logger.setAdditive(false);
      logger.setLevel(Level.TRACE);
    }
  }

  private static void only(Level least) {
    if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      for (Logger logger : context.getLoggerList()) {
        if (logger.getLevel() != null && !logger.getLevel().isGreaterOrEqual(least)) {
          logger.setLevel(least);
        }
      }
    }
  }
}
