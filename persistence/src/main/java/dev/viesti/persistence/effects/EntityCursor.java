package dev.viesti.persistence.effects;

import dev.viesti.persistence.effects.EntityQuery.Sort;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The last row of a page: what it was sorted by, and its id. Not signed: with a forged one a caller
 * sees another page of what it may see.
 *
 * @param values as PostgreSQL writes them
 */
record EntityCursor(List<@Nullable String> values, UUID id) {
  private static final int NULL = -1;

  /** Above what {@link EntityQuery#SORT_MAX} texts of 256 characters take. */
  private static final int CHARACTERS_MAX = 16_384;

  String encode(List<Sort> sort) {
    List<byte[]> parts = new ArrayList<>();
    parts.add(order(sort).getBytes(StandardCharsets.UTF_8));
    int size = Integer.BYTES + parts.getFirst().length + 2 * Long.BYTES;
    for (String value : values) {
      byte[] part = value == null ? new byte[0] : value.getBytes(StandardCharsets.UTF_8);
      parts.add(part);
      size += Integer.BYTES + part.length;
    }
    ByteBuffer buffer = ByteBuffer.allocate(size);
    for (int i = 0; i < parts.size(); i++) {
      boolean isNull = i > 0 && values.get(i - 1) == null;
      buffer.putInt(isNull ? NULL : parts.get(i).length).put(parts.get(i));
    }
    buffer.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
    return Base64.getUrlEncoder().withoutPadding().encodeToString(buffer.array());
  }

  /**
   * @throws InvalidQueryException unless a page with this sort ended there
   */
  static EntityCursor decode(String cursor, List<Sort> sort) {
    try {
      if (cursor.length() > CHARACTERS_MAX) {
        throw wrong();
      }
      ByteBuffer buffer = ByteBuffer.wrap(Base64.getUrlDecoder().decode(cursor));
      if (!order(sort).equals(text(buffer))) {
        throw new InvalidQueryException("cursor", "is of a query with another sort");
      }
      List<@Nullable String> values = new ArrayList<>();
      for (int i = 0; i < sort.size(); i++) {
        values.add(text(buffer));
      }
      var id = new UUID(buffer.getLong(), buffer.getLong());
      if (buffer.hasRemaining()) {
        throw wrong();
      }
      return new EntityCursor(values, id);
    } catch (InvalidQueryException known) {
      throw known;
    } catch (IllegalArgumentException | BufferUnderflowException malformed) {
      throw wrong();
    }
  }

  private static @Nullable String text(ByteBuffer buffer) {
    int length = buffer.getInt();
    if (length == NULL) {
      return null;
    }
    if (length < 0 || length > buffer.remaining()) {
      throw wrong();
    }
    var bytes = new byte[length];
    buffer.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  static InvalidQueryException wrong() {
    return new InvalidQueryException("cursor", "is none that a page ended with");
  }

  private static String order(List<Sort> sort) {
    return sort.stream()
        .map(field -> field.field() + (field.descending() ? " desc" : ""))
        .collect(Collectors.joining(","));
  }
}
