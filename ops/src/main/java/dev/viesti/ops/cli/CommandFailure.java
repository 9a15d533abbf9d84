package dev.viesti.ops.cli;

import java.io.Serial;

/** Ends a command with one sentence for people, the next step included. */
final class CommandFailure extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  private final int exitCode;

  private CommandFailure(int exitCode, String sentence) {
    super(sentence, null, false, false);
    this.exitCode = exitCode;
  }

  static CommandFailure usage(String sentence) {
    return new CommandFailure(ExitCodes.USAGE, sentence);
  }

  static CommandFailure refused(String sentence) {
    return new CommandFailure(ExitCodes.REFUSED, sentence);
  }

  static CommandFailure unreachable(String sentence) {
    return new CommandFailure(ExitCodes.UNREACHABLE, sentence);
  }

  int exitCode() {
    return exitCode;
  }

  String sentence() {
    return String.valueOf(getMessage());
  }
}
