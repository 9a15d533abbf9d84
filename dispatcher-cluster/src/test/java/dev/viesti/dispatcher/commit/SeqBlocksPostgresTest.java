package dev.viesti.dispatcher.commit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.Database;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import dev.viesti.persistence.outbox.OwnerRepository;
import dev.viesti.persistence.schema.SchemaMigrator;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class SeqBlocksPostgresTest {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** What a claim brought may be told after the lane has fetched, and used, larger numbers. */
  @Test
  void neverGoesBackWhateverTheOrderOfClaims() throws Exception {
    TestDatabase server = TestPostgres.freshDatabase();
    new SchemaMigrator(server.dataSource()).migrate(SchemaMigrator.Mode.AUTO);
    try (Database database =
        Database.open(server.url(), server.user(), server.password(), 4, PATIENCE)) {
      var repository = new OwnerRepository(database);
      var seqs = new SeqBlocks(repository);
      var random = new Random(7);
      long before = Long.MIN_VALUE;
      long claimed = repository.nextSeqBlocks(1).getFirst();
      for (int round = 0; round < 200; round++) {
        int count = 1 + random.nextInt(5_000);
        var numbers = seqs.take(count);
        for (int n = 0; n < count; n++) {
          long number = numbers.getAsLong();
          assertThat(number).isGreaterThan(before);
          before = number;
        }
        assertThat(seqs.last()).isEqualTo(before);
        if (random.nextInt(20) > 0) {
          seqs.startAt(claimed); // late
          claimed = repository.nextSeqBlocks(1).getFirst();
        } else {
          long fresh = repository.nextSeqBlocks(1).getFirst();
          seqs.startAt(fresh);
          assertThat(seqs.take(1).getAsLong()).isGreaterThanOrEqualTo(fresh);
          before = seqs.last();
        }
      }
    }
  }
}
