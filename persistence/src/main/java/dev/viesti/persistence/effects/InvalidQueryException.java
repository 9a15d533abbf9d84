package dev.viesti.persistence.effects;

/** A query that cannot be run on its entity. The message begins with the path of what is wrong. */
public final class InvalidQueryException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final String path;

  /**
   * @param path as in {@code where[1].value}
   * @param detail what is wrong and what would be right
   */
  public InvalidQueryException(String path, String detail) {
    super(path + ": " + detail);
    this.path = path;
  }

  /** As in {@code where[1].value}. */
  public String path() {
    return path;
  }
}
