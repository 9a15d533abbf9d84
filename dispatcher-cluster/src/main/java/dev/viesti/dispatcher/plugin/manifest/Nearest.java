package dev.viesti.dispatcher.plugin.manifest;

import java.util.Collection;
import java.util.Locale;

/** Guesses what somebody meant to write. */
final class Nearest {
  /** Words are shorter; what is longer was not meant to be one of them. */
  private static final int LENGTH_MAX = 40;

  private Nearest() {}

  /** {@code "; did you mean 'x'?"}, or nothing when none of {@code known} is near. */
  static String hint(String word, Collection<String> known) {
    if (word.length() > LENGTH_MAX) {
      return "";
    }
    String best = "";
    int least = Integer.MAX_VALUE;
    for (String one : known) {
      int distance = distance(word.toLowerCase(Locale.ROOT), one.toLowerCase(Locale.ROOT));
      if (distance < least) {
        least = distance;
        best = one;
      }
    }
    // a third of the letters: 'persmissions' and 'colour' are meant, 'x' is not
    return !best.isEmpty() && least <= Math.max(1, best.length() / 3)
        ? "; did you mean '" + best + "'?"
        : "";
  }

  /** Letters to add, drop, change or swap with their neighbour. */
  private static int distance(String from, String to) {
    int[][] steps = new int[from.length() + 1][to.length() + 1];
    for (int i = 0; i <= from.length(); i++) {
      steps[i][0] = i;
    }
    for (int j = 0; j <= to.length(); j++) {
      steps[0][j] = j;
    }
    for (int i = 1; i <= from.length(); i++) {
      for (int j = 1; j <= to.length(); j++) {
        int change = from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1;
        int least = Math.min(steps[i - 1][j] + 1, steps[i][j - 1] + 1);
        least = Math.min(least, steps[i - 1][j - 1] + change);
        if (i > 1
            && j > 1
            && from.charAt(i - 1) == to.charAt(j - 2)
            && from.charAt(i - 2) == to.charAt(j - 1)) {
          least = Math.min(least, steps[i - 2][j - 2] + 1);
        }
        steps[i][j] = least;
      }
    }
    return steps[from.length()][to.length()];
  }
}
