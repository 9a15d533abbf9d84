package dev.viesti.dispatcher.cloudevents;

import java.util.List;
import java.util.random.RandomGenerator;

/** Valid JSON that a parser which re-prints would not give back as it was. */
final class NastyJson {
  private static final List<String> SCALARS =
      List.of(
          "0",
          "-0",
          "-0.0",
          "1.0",
          "1.0e5",
          "1.00",
          "1E400",
          "-1e-400",
          "1e+2",
          "0.1e-0",
          "12345678901234567890123456789",
          "0.1000000000000000055511151231257827",
          "true",
          "false",
          "\"\"",
          "\"a\"",
          "\"\\u0041\"",
          "\"\\u00e9\"",
          "\"é\"",
          "\"€\"",
          "\"😀\"",
          "\"\\ud83d\\ude00\"",
          "\"\\ud83d\"",
          "\"\\/\"",
          "\"/\"",
          "\"\\\"\\\\\\b\\f\\n\\r\\t\"",
          "\"\\u0000\"",
          "\"\u2028\u2029\u007f\"",
          "\"}],{[\"",
          "\"\\\\\"",
          "\"\\\\\\\"\"",
          "9007199254740993");
  private static final String[] SPACES = {"", "", "", " ", "\n", "\t", "\r\n", "  \n\t "};

  private final RandomGenerator random;

  NastyJson(RandomGenerator random) {
    this.random = random;
  }

  String space() {
    return SPACES[random.nextInt(SPACES.length)];
  }

  /** A value without white space around it, {@code null} only inside of others. */
  String value(int depth) {
    int kind = depth == 0 ? 2 : random.nextInt(4);
    return switch (kind) {
      case 0 -> object(depth - 1);
      case 1 -> array(depth - 1);
      default -> SCALARS.get(random.nextInt(SCALARS.size()));
    };
  }

  private String inner(int depth) {
    return random.nextInt(10) == 0 ? "null" : value(depth);
  }

  private String object(int depth) {
    StringBuilder text = new StringBuilder("{").append(space());
    int size = random.nextInt(4);
    for (int i = 0; i < size; i++) {
      String name = List.of("data", "id", "é\\n", "").get(random.nextInt(4)) + i;
      text.append(i == 0 ? "" : ",")
          .append(space())
          .append('"')
          .append(name)
          .append('"')
          .append(space())
          .append(':')
          .append(space())
          .append(inner(depth))
          .append(space());
    }
    return text.append('}').toString();
  }

  private String array(int depth) {
    StringBuilder text = new StringBuilder("[").append(space());
    int size = random.nextInt(4);
    for (int i = 0; i < size; i++) {
      text.append(i == 0 ? "" : ",").append(space()).append(inner(depth)).append(space());
    }
    return text.append(']').toString();
  }
}
