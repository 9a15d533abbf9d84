package dev.viesti.ops.cli;

/** What a command's end means to a script; listed in the help. */
final class ExitCodes {
  static final int OK = 0;

  /** The server refused, or a check failed. */
  static final int REFUSED = 1;

  static final int USAGE = 2;
  static final int UNREACHABLE = 3;

  /** What shells say of Ctrl-C: 128 and the number of the signal. */
  static final int INTERRUPTED = 130;

  private ExitCodes() {}
}
