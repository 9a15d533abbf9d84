package dev.viesti.dispatcher.target.webhook;

import dev.viesti.protocol.delivery.Outcome;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpEntity;
import org.jspecify.annotations.Nullable;

/** Keeps the head of a response's body, and the connection if the body is short. */
final class ResponseBody {
  private static final int CHUNK = 8 * 1_024;

  private ResponseBody() {}

  /**
   * Reads to the end, so that the connection can be used again, or aborts the request after {@link
   * WebhookSettings#RESPONSE_BODY_READ_MAX} bytes. A body that breaks off does not change what the
   * status line has said.
   */
  static Outcome.Response keep(ClassicHttpResponse response, int keptMax, HttpPost request) {
    HttpEntity entity = response.getEntity();
    if (entity == null) {
      return new Outcome.Response(response.getCode(), "");
    }
    ByteArrayOutputStream kept = new ByteArrayOutputStream();
    try {
      if (!readToEnd(entity, kept, keptMax)) {
        request.abort();
      }
    } catch (IOException brokenOff) {
      request.abort();
    }
    String text = kept.toString(charset(entity.getContentType()));
    return new Outcome.Response(response.getCode(), text.replace('\0', '\uFFFD'));
  }

  /** The stream is not closed: that would read on to the end, however far it is. */
  private static boolean readToEnd(HttpEntity entity, ByteArrayOutputStream kept, int keptMax)
      throws IOException {
    @SuppressWarnings("resource")
    InputStream in = entity.getContent();
    byte[] chunk = new byte[CHUNK];
    int read = 0;
    while (read < WebhookSettings.RESPONSE_BODY_READ_MAX) {
      int length = in.read(chunk);
      if (length < 0) {
        return true;
      }
      kept.write(chunk, 0, Math.min(length, keptMax - kept.size()));
      read += length;
    }
    return false;
  }

  private static Charset charset(@Nullable String contentType) {
    ContentType type = contentType == null ? null : ContentType.parseLenient(contentType);
    Charset charset = type == null ? null : type.getCharset();
    return charset == null ? StandardCharsets.UTF_8 : charset;
  }
}
