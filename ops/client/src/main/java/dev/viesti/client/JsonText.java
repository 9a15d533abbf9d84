package dev.viesti.client;

import java.util.HashSet;
import java.util.Set;

/**
 * Says whether a text is one JSON value by <a href="https://www.rfc-editor.org/rfc/rfc8259">RFC
 * 8259</a>, as strictly as Viesti's own reader: the text goes into webhooks as it is, so one that
 * is not JSON would spoil a receiver's whole document.
 */
final class JsonText {
  /** Viesti's reader goes no deeper. */
  private static final int NESTING_MAX = 256;

  /** Nor does it take longer numbers. */
  private static final int NUMBER_MAX = 1_000;

  private final String text;
  private int at;

  private JsonText(String text) {
    this.text = text;
  }

  /**
   * @throws IllegalArgumentException saying what is wrong and where
   */
  static void require(String text) {
    var json = new JsonText(text);
    json.space();
    json.value(0);
    json.space();
    if (json.at < text.length()) {
      throw json.wrong("nothing may follow the value");
    }
  }

  /** The text as a JSON string, quotes included; it has no control characters. */
  static String quoted(String plain) {
    return '"' + plain.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  private void value(int depth) {
    switch (peek()) {
      case '{' -> object(depth + 1);
      case '[' -> array(depth + 1);
      case '"' -> string();
      case 't' -> word("true");
      case 'f' -> word("false");
      case 'n' -> word("null");
      default -> number();
    }
  }

  private void object(int depth) {
    open(depth);
    if (closes('}')) {
      return;
    }
    Set<String> names = new HashSet<>();
    do {
      space();
      if (peek() != '"') {
        throw wrong("a member's name is expected");
      }
      String name = string();
      if (!names.add(name)) {
        throw wrong("a member is there twice");
      }
      space();
      take(':');
      space();
      value(depth);
      space();
    } while (goesOn('}'));
  }

  private void array(int depth) {
    open(depth);
    if (closes(']')) {
      return;
    }
    do {
      space();
      value(depth);
      space();
    } while (goesOn(']'));
  }

  private void open(int depth) {
    if (depth > NESTING_MAX) {
      throw wrong("it is nested deeper than " + NESTING_MAX + " levels");
    }
    at++;
    space();
  }

  private boolean closes(char end) {
    if (peek() != end) {
      return false;
    }
    at++;
    return true;
  }

  private boolean goesOn(char end) {
    if (closes(end)) {
      return false;
    }
    take(',');
    return true;
  }

  private String string() {
    at++;
    var plain = new StringBuilder();
    while (true) {
      char c = peek();
      at++;
      if (c == '"') {
        return plain.toString();
      } else if (c < ' ') {
        throw wrong("a control character must be escaped");
      }
      plain.append(c == '\\' ? escaped() : c);
    }
  }

  private char escaped() {
    char c = peek();
    at++;
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> {
        int code = 0;
        for (int digit = 0; digit < 4; digit++, at++) {
          int value = peek() < 128 ? Character.digit(peek(), 16) : -1;
          if (value < 0) {
            throw wrong("four hexadecimal digits are expected");
          }
          code = (code << 4) | value;
        }
        yield (char) code;
      }
      default -> throw wrong("there is no such escape");
    };
  }

  private void word(String word) {
    if (!text.startsWith(word, at)) {
      throw wrong("a value is expected");
    }
    at += word.length();
  }

  private void number() {
    int start = at;
    if (peek() == '-') {
      at++;
    }
    if (at < text.length() && text.charAt(at) == '0') {
      at++;
    } else {
      digits();
    }
    if (at < text.length() && text.charAt(at) == '.') {
      at++;
      digits();
    }
    if (at < text.length() && (text.charAt(at) == 'e' || text.charAt(at) == 'E')) {
      at++;
      if (peek() == '+' || peek() == '-') {
        at++;
      }
      digits();
    }
    if (at - start > NUMBER_MAX) {
      throw wrong("a number has at most " + NUMBER_MAX + " characters");
    }
  }

  private void digits() {
    int start = at;
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
      at++;
    }
    if (at == start) {
      throw wrong("a value is expected");
    }
  }

  private void space() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private char peek() {
    if (at >= text.length()) {
      throw wrong("it ends too early");
    }
    return text.charAt(at);
  }

  private void take(char expected) {
    if (peek() != expected) {
      throw wrong("'" + expected + "' is expected");
    }
    at++;
  }

  private IllegalArgumentException wrong(String what) {
    return new IllegalArgumentException("data is not JSON: " + what + " (character " + at + ")");
  }
}
