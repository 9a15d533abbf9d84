package dev.viesti.ops.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import org.junit.jupiter.api.Test;

class MigratePostgresTest {
  private final TestDatabase database = TestPostgres.freshDatabase();

  @Test
  void saysInJsonWhatItApplied() throws Exception {
    assertThat(migrate()).isNotEmpty();
    assertThat(migrate()).isEmpty();
  }

  private JsonNode migrate() throws Exception {
    var run = new CommandRun();
    run.env.put("VIESTI_DATABASE_URL", database.url());
    run.env.put("VIESTI_DATABASE_USER", database.user());
    run.env.put("VIESTI_DATABASE_PASSWORD", database.password());
    assertThat(run.run("migrate", "-o", "json")).as(run.err()).isZero();
    return ClientJson.MAPPER.readTree(run.out()).path("applied");
  }
}
