package dev.viesti.dispatcher.wasm;

/** A call that did not end as it should. Without a stack trace: the module's is not ours. */
public final class WasmTrapException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Why; names are what metrics and errors say, in lower case. */
  public enum Kind {
    /** {@code unreachable}, a division by zero, an access out of bounds … */
    TRAP,
    /** The fuel is used up. */
    FUEL,
    /** Calls are nested too deeply. */
    STACK,
    /** It wanted more memory than it may have. */
    MEMORY,
    /** Its thread was interrupted: its time is up, or it was cancelled. */
    INTERRUPTED,
    /** It does not keep the contract: a pointer out of its memory, an export of another type … */
    CONTRACT,
    /** The host failed. */
    HOST
  }

  private final Kind kind;

  public WasmTrapException(Kind kind, String message) {
    super(message, null, false, false);
    this.kind = kind;
  }

  public Kind kind() {
    return kind;
  }
}
