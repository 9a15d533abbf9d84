package dev.viesti.dispatcher.plugin.manifest;

/**
 * The work that one comparison of a configuration with its schema may be. Counted, not timed: what
 * fits does so on every node, however busy. For one thread.
 */
final class CheckBudget {
  /** The work would be more than there is for it. */
  static final class ExceededException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String reason;

    ExceededException(String reason) {
      super(reason, null, false, false);
      this.reason = reason;
    }

    /** As a fault says it. */
    String reason() {
      return reason;
    }
  }

  /** About a second of a slow core; five thousand values in a large schema take half of it. */
  private static final long UNITS_MAX = 2_000_000;

  /** Values that a keyword can look at (all of them, for {@code uniqueItems}) for one unit. */
  private static final int VALUES_A_UNIT = 100;

  /** Instructions of a pattern for one unit. */
  private static final int INSTRUCTIONS_A_UNIT = 50;

  /** What a fault is charged: it stays in memory until the end. */
  private static final int FAULT_UNITS = 100;

  /**
   * Keywords within keywords. Sixty-four levels of a configuration can take five each; a schema
   * that refers to itself gets here at once.
   */
  private static final int DEPTH_MAX = 512;

  private final long stepUnits;
  private long left = UNITS_MAX;
  private int depth;

  /**
   * @param configValues in the configuration, at all levels
   * @param schemaValues in the schema, at all levels
   */
  CheckBudget(int configValues, int schemaValues) {
    this.stepUnits = 1 + ((long) configValues + schemaValues) / VALUES_A_UNIT;
  }

  void enter() {
    depth++;
    if (depth > DEPTH_MAX) {
      throw new ExceededException(
          "the schema goes deeper than %d keywords here; it may refer to itself in a circle"
              .formatted(DEPTH_MAX));
    }
    spend(stepUnits);
  }

  void leave() {
    depth--;
  }

  void match(int characters, int programSize) {
    spend(1 + (long) characters * programSize / INSTRUCTIONS_A_UNIT);
  }

  void fault() {
    spend(FAULT_UNITS);
  }

  private void spend(long units) {
    left -= units;
    if (left < 0) {
      throw new ExceededException(
          "takes too much work to compare with the schema: make one of them simpler");
    }
  }
}
