package dev.viesti.dispatcher.plugin.manifest;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Gathers what is wrong, so that an author hears of all of it at once. */
final class Faults {
  /** Nobody reads more, and a text of 256 KiB could hold many thousands. */
  static final int KEPT_MAX = 100;

  /** Longer than any value that is right, so that a sentence stays one. */
  private static final int SHOWN_MAX = 80;

  private final List<Fault> kept = new ArrayList<>();
  private int count;

  void add(String path, String message) {
    count++;
    if (count < KEPT_MAX) {
      kept.add(new Fault(printable(path), printable(message)));
    } else if (count == KEPT_MAX) {
      kept.add(new Fault("", "there are more faults: these are the first"));
    }
  }

  void addAll(String below, List<Fault> faults) {
    faults.forEach(fault -> add(below + fault.path(), fault.message()));
  }

  /** How many there were so far, also those not kept. */
  int count() {
    return count;
  }

  /** What {@code made} makes, or null and a fault with the words of its refusal. */
  <T> @Nullable T check(String path, Supplier<T> made) {
    try {
      return made.get();
    } catch (IllegalArgumentException refused) {
      add(path, String.valueOf(refused.getMessage()));
      return null;
    }
  }

  List<Fault> list() {
    return List.copyOf(kept);
  }

  /** The path of a member below {@code path}. */
  static String below(String path, String member) {
    return path + "/" + member.replace("~", "~0").replace("/", "~1");
  }

  /** A value as a sentence may quote it. */
  static String shown(String value) {
    if (value.length() <= SHOWN_MAX) {
      return value;
    }
    int end = Character.isHighSurrogate(value.charAt(SHOWN_MAX - 1)) ? SHOWN_MAX - 1 : SHOWN_MAX;
    return value.substring(0, end) + "…";
  }

  /** Sentences end up in logs and on terminals. */
  private static String printable(String text) {
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            point -> {
              boolean strange =
                  Character.isISOControl(point)
                      || Character.getType(point) == Character.FORMAT
                      || Character.getType(point) == Character.SURROGATE;
              out.appendCodePoint(strange ? '\uFFFD' : point);
            });
    return out.toString();
  }
}
