package dev.viesti.persistence.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.BinaryArray;
import dev.viesti.persistence.embedded.TestPostgres;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** PostgreSQL reads what is written here, also when it has to grow and has nulls. */
class BinaryArrayPostgresTest {
  private static final String SIDE_BY_SIDE =
      """
      select k.* from (
        select unnest(?::int[]) as n, unnest(?::bigint[]) as l, unnest(?::uuid[]) as u,
          unnest(?::text[]) as t, unnest(?::bytea[]) as b, unnest(?::boolean[]) as z
      ) as k
      order by k.n
      """;

  /** Bytes are hex here: arrays do not compare. */
  private record Row(
      int n,
      @Nullable Long l,
      @Nullable UUID u,
      @Nullable String t,
      @Nullable String b,
      boolean z) {
    static Row of(ResultSet row) throws Exception {
      return new Row(
          row.getInt(1),
          row.getObject(2, Long.class),
          row.getObject(3, UUID.class),
          row.getString(4),
          hex(row.getBytes(5)),
          row.getBoolean(6));
    }

    byte @Nullable [] bytes() {
      return b == null ? null : HexFormat.of().parseHex(b);
    }

    static @Nullable String hex(byte @Nullable [] bytes) {
      return bytes == null ? null : HexFormat.of().formatHex(bytes);
    }
  }

  @Test
  void bringsEveryValueToPostgres() throws Exception {
    try (Connection connection = TestPostgres.freshDatabase().dataSource().getConnection();
        PreparedStatement statement = connection.prepareStatement(SIDE_BY_SIDE)) {
      for (int seed = 0; seed < 200; seed++) {
        List<Row> rows = rows(new Random(seed));
        var arrays = new SqlArrays(statement);
        arrays.ints(rows, Row::n);
        arrays.longs(rows, Row::l);
        arrays.uuids(rows, Row::u);
        arrays.texts(rows, Row::t);
        var bytes = new BinaryArray(BinaryArray.Type.BYTEA, 1);
        rows.forEach(row -> bytes.add(row.bytes()));
        arrays.array(bytes);
        var booleans = new BinaryArray(BinaryArray.Type.BOOL, 1);
        rows.forEach(row -> booleans.add(row.z()));
        arrays.array(booleans);
        List<Row> read = new ArrayList<>();
        try (ResultSet row = statement.executeQuery()) {
          while (row.next()) {
            read.add(Row.of(row));
          }
        }
        assertThat(read).as("seed %d", seed).isEqualTo(rows);
      }
    }
  }

  /** Each column has no nulls, some, or nothing else. */
  private static List<Row> rows(Random random) {
    int count = random.nextInt(200);
    int[] nulls = random.ints(4, 0, 3).map(n -> n * 50).toArray();
    List<Row> rows = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      byte[] bytes = new byte[random.nextInt(500)];
      random.nextBytes(bytes);
      rows.add(
          new Row(
              n - 3,
              isNull(random, nulls[0]) ? null : random.nextLong(),
              isNull(random, nulls[1]) ? null : new UUID(random.nextLong(), random.nextLong()),
              isNull(random, nulls[2]) ? null : "ä€\uD83D\uDE00".repeat(random.nextInt(30)),
              isNull(random, nulls[3]) ? null : Row.hex(bytes),
              random.nextBoolean()));
    }
    return rows;
  }

  private static boolean isNull(Random random, int percent) {
    return random.nextInt(100) < percent;
  }
}
