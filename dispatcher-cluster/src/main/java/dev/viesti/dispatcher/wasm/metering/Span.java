package dev.viesti.dispatcher.wasm.metering;

/** Some bytes of a binary: from {@code start} up to, without, {@code end}. */
record Span(int start, int end) {
  int length() {
    return end - start;
  }
}
