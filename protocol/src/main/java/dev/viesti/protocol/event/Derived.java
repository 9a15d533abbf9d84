package dev.viesti.protocol.event;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;

/**
 * Ids that follow from other ids: a <a
 * href="https://www.rfc-editor.org/rfc/rfc9562#section-5.8">UUID version 8</a> of the first 122
 * bits of SHA-256 over the length-prefixed parts, so that no two different lists of parts run into
 * the same bytes.
 */
public final class Derived {
  /** Never used but to be copied, which costs half of what looking the algorithm up does. */
  private static final MessageDigest FRESH = sha256();

  private Derived() {}

  /** The same UUID for the same parts, always. */
  public static UUID uuid(String... parts) {
    MessageDigest sha = fresh();
    for (String part : parts) {
      byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
      sha.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
      sha.update(bytes);
    }
    ByteBuffer digest = ByteBuffer.wrap(sha.digest());
    long high = (digest.getLong() & 0xffff_ffff_ffff_0fffL) | 0x8000L;
    long low = (digest.getLong() & 0x3fff_ffff_ffff_ffffL) | 0x8000_0000_0000_0000L;
    return new UUID(high, low);
  }

  private static MessageDigest fresh() {
    try {
      return (MessageDigest) FRESH.clone();
    } catch (CloneNotSupportedException provider) {
      return sha256();
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException missing) {
      throw new IllegalStateException("every Java platform has SHA-256", missing);
    }
  }
}
