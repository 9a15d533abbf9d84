package dev.viesti.dispatcher.plugin.entity;

/** Values that do not fit the type. The message begins with the path of what is wrong. */
public final class InvalidEntityException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final String path;

  InvalidEntityException(String path, String detail) {
    super(path + ": " + detail);
    this.path = path;
  }

  /** The field, and where in it: {@code address.lines[2]}; {@code $} for the whole. */
  public String path() {
    return path;
  }
}
