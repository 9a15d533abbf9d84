package dev.viesti.ops.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.ops.cli.client.ClientJson;
import org.junit.jupiter.api.Test;

class DemoPlanTest {
  @Test
  void countsWhatMustBecomeOfTenThousandEvents() {
    var plan = new DemoPlan(10_000);
    assertThat(plan.flagged()).isEqualTo(900);
    assertThat(plan.rejected()).isEqualTo(100);
    assertThat(plan.deliveries()).isEqualTo(11_000);
    assertThat(plan.requests()).isEqualTo(10_000 + 3 * 900 + 3 * 100);
    assertThat(plan.retries()).isEqualTo(2 * 900 + 2 * 100);
  }

  @Test
  void sendsWellFormedEvents() throws Exception {
    var event = ClientJson.MAPPER.readTree(new DemoPlan(100).json(99));
    assertThat(event.path("type").asText()).isEqualTo("orders.rejected");
    assertThat(event.path("data").path("amount").decimalValue()).isEqualByComparingTo("19.50");
  }
}
