package dev.viesti.dispatcher.plugin.manifest;

/**
 * One thing that is wrong.
 *
 * @param path <a href="https://www.rfc-editor.org/rfc/rfc6901">JSON Pointer</a> of the member, as
 *     in {@code /entities/0/fields/2/type}; {@code ""} for the whole
 * @param message what is wrong and what is expected, in one sentence without control characters
 */
public record Fault(String path, String message) {
  @Override
  public String toString() {
    return path.isEmpty() ? message : path + ": " + message;
  }
}
