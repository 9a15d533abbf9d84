package dev.viesti.client;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.UUID;

/** Ids of events, as Viesti itself gives them. */
final class EventIds {
  private static final SecureRandom RANDOM = new SecureRandom();

  private EventIds() {}

  /**
   * The same for the same {@code (source, id)}, always and everywhere: a <a
   * href="https://www.rfc-editor.org/rfc/rfc9562#section-5.8">UUID version 8</a> of the first 122
   * bits of SHA-256 over the length-prefixed parts.
   */
  static UUID derived(String source, String id) {
    MessageDigest sha = sha256();
    for (String part : new String[] {source, id}) {
      byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
      sha.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
      sha.update(bytes);
    }
    ByteBuffer digest = ByteBuffer.wrap(sha.digest());
    return uuid(digest.getLong(), digest.getLong(), 8);
  }

  /**
   * A <a href="https://www.rfc-editor.org/rfc/rfc9562#section-5.7">UUID version 7</a>.
   *
   * @param epochMillis its time
   */
  static UUID fresh(long epochMillis) {
    byte[] random = new byte[10];
    RANDOM.nextBytes(random);
    ByteBuffer bits = ByteBuffer.wrap(random);
    return uuid((epochMillis << 16) | Short.toUnsignedLong(bits.getShort()), bits.getLong(), 7);
  }

  private static UUID uuid(long high, long low, int version) {
    return new UUID(
        (high & 0xffff_ffff_ffff_0fffL) | ((long) version << 12),
        (low & 0x3fff_ffff_ffff_ffffL) | 0x8000_0000_0000_0000L);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException missing) {
      throw new IllegalStateException("every Java platform has SHA-256", missing);
    }
  }
}
