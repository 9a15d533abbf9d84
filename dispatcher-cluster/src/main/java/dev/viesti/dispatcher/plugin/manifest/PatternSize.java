package dev.viesti.dispatcher.plugin.manifest;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How large a pattern's program can be, from its text: RE2/J writes counted repeats out in full, so
 * {@code ((a{1000}){1000}){1000}} would take all memory before anybody could ask. Never too low.
 */
final class PatternSize {
  private static final Pattern REPEAT = Pattern.compile("\\{(\\d{1,9})(,(\\d{0,9}))?}");

  private static final Pattern FLAGS = Pattern.compile("\\?[a-zA-Z-]*\\)");

  /** RE2 refuses to repeat more often. */
  private static final int REPEAT_MAX = 1_000;

  /** More than any bound, far from where a {@code long} ends. */
  private static final long HUGE = 1_000_000_000;

  private final String text;
  private final Matcher repeat;
  private final Matcher flags;
  private final Deque<Long> outer = new ArrayDeque<>();
  private int at;

  /** Of the group that the reader is in, and of what a repeat here would repeat. */
  private long total;

  private long last;

  private PatternSize(String text) {
    this.text = text;
    this.repeat = REPEAT.matcher(text);
    this.flags = FLAGS.matcher(text);
  }

  /** In instructions; at most a billion. */
  static long of(String pattern) {
    return new PatternSize(pattern).read();
  }

  private long read() {
    while (at < text.length()) {
      char next = text.charAt(at++);
      switch (next) {
        case '\\' -> escape();
        case '[' -> {
          skipClass();
          atom(1);
        }
        case '*', '+', '?' -> {
          total += 2;
          last += 2;
        }
        case '(' -> {
          if (flags.region(at, text.length()).lookingAt()) {
            at = flags.end(); // what follows repeats what stands before
            continue;
          }
          outer.push(total);
          total = 0;
          last = 0;
        }
        case ')' -> {
          long group = total + 3; // where it begins and ends, and one when nothing is in it
          total = outer.isEmpty() ? 0 : outer.pop();
          atom(group);
        }
        case '|' -> atom(2); // and one when nothing stands beside it
        case '{' -> repeat();
        default -> atom(1);
      }
    }
    while (!outer.isEmpty()) {
      total = Math.min(HUGE, total + outer.pop());
    }
    return Math.min(HUGE, total + 3); // its own beginning and end
  }

  private void atom(long size) {
    last = Math.min(HUGE, size);
    total = Math.min(HUGE, total + last);
  }

  /** What is optional takes a branch more, each time. */
  private void repeat() {
    if (!repeat.region(at - 1, text.length()).lookingAt()) {
      atom(1);
      return;
    }
    at = repeat.end();
    String most = repeat.group(3);
    long times = Long.parseLong(repeat.group(1));
    times = most == null || most.isEmpty() ? times + 1 : Math.max(times, Long.parseLong(most));
    times = Math.min(times, REPEAT_MAX + 1);
    total = total - last;
    atom((last + 1) * times + 1);
  }

  private void escape() {
    if (at == text.length()) {
      return;
    }
    char kind = text.charAt(at++);
    if (kind == 'Q') {
      int end = text.indexOf("\\E", at);
      int quoted = (end < 0 ? text.length() : end) - at;
      at = end < 0 ? text.length() : end + 2;
      atom(quoted + 1L);
      return;
    }
    if ("pPx".indexOf(kind) >= 0 && at < text.length() && text.charAt(at) == '{') {
      int end = text.indexOf('}', at);
      at = end < 0 ? text.length() : end + 1;
    }
    atom(1);
  }

  private void skipClass() {
    if (at < text.length() && text.charAt(at) == '^') {
      at++;
    }
    boolean first = true;
    while (at < text.length()) {
      char next = text.charAt(at++);
      if (next == ']' && !first) {
        return;
      }
      first = false;
      if (next == '\\') {
        at++;
      } else if (next == '[' && text.startsWith(":", at) && text.indexOf(":]", at) >= 0) {
        at = text.indexOf(":]", at) + 2;
      }
    }
  }
}
