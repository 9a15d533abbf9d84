package dev.viesti.ops.cli.client;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** A body of several parts in the making: {@code multipart/form-data}. */
public final class FormBody {
  private final String boundary;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  /**
   * @param boundary letters and digits that occur in no part
   */
  public FormBody(String boundary) {
    this.boundary = boundary;
  }

  /** Adds a part; its name and its type are our own words. */
  public FormBody part(String name, String contentType, byte[] content) {
    text(
        "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\nContent-Type: %s\r\n\r\n"
            .formatted(boundary, name, contentType));
    bytes.writeBytes(content);
    text("\r\n");
    return this;
  }

  public String contentType() {
    return "multipart/form-data; boundary=" + boundary;
  }

  /** The whole, with its end. */
  public byte[] end() {
    text("--" + boundary + "--\r\n");
    return bytes.toByteArray();
  }

  private void text(String text) {
    bytes.writeBytes(text.getBytes(StandardCharsets.UTF_8));
  }
}
