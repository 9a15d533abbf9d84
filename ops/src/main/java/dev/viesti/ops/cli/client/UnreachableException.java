package dev.viesti.ops.cli.client;

import java.net.ConnectException;
import java.net.URI;
import java.nio.channels.UnresolvedAddressException;

/** Nothing answered at the address: whether a request took effect is unknown. */
public final class UnreachableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final URI url;

  UnreachableException(URI url, Throwable cause) {
    super(reason(cause), cause);
    this.url = url;
  }

  /** The JDK's client leaves the message of a refused connection empty. */
  private static String reason(Throwable cause) {
    for (Throwable each = cause; each != null; each = each.getCause()) {
      if (each instanceof UnresolvedAddressException) {
        return "unknown host";
      }
    }
    if (cause.getMessage() != null) {
      return cause.getMessage();
    }
    return cause instanceof ConnectException
        ? "connection refused"
        : cause.getClass().getSimpleName();
  }

  /** Where a server was expected. */
  public URI url() {
    return url;
  }
}
