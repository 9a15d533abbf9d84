package dev.viesti.ops.api;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The keys that open the API. Only their hashes are kept, and comparing takes the same time
 * wherever two hashes differ.
 */
public final class ApiKeys {
  private static final String SCHEME = "bearer ";

  private final Map<String, byte[]> hashes;

  private ApiKeys(Map<String, byte[]> hashes) {
    this.hashes = hashes;
  }

  /**
   * @param keys the key of each principal, by the principal's name
   */
  public static ApiKeys of(Map<String, String> keys) {
    Map<String, byte[]> hashes = new LinkedHashMap<>();
    keys.forEach((name, key) -> hashes.put(name, sha256(key)));
    return new ApiKeys(hashes);
  }

  /** Whose key {@code authorization} (the header's value) holds; null when nobody's. */
  @Nullable String principal(@Nullable String authorization) {
    if (authorization == null
        || !authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
      return null;
    }
    byte[] given = sha256(authorization.substring(SCHEME.length()).strip());
    String found = null;
    for (Map.Entry<String, byte[]> entry : hashes.entrySet()) {
      if (MessageDigest.isEqual(entry.getValue(), given)) {
        found = entry.getKey();
      }
    }
    return found;
  }

  private static byte[] sha256(String key) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException missing) {
      throw new IllegalStateException("every Java platform has SHA-256", missing);
    }
  }
}
