package dev.viesti.persistence.outbox;

import static dev.viesti.persistence.outbox.OutboxFixture.NOW;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class OwnerPostgresTest {
  private static final AppId SHOP = new AppId("shop");
  private static final AppId BANK = new AppId("bank");

  private final OutboxFixture fixture = new OutboxFixture();

  @AfterEach
  void close() {
    fixture.close();
  }

  @Test
  void eachClaimTakesTheNextEpochAndABlockOfLargerNumbers() throws Exception {
    Claim first = fixture.owners.claim(SHOP, "a", 10);
    long block = fixture.owners.nextSeqBlocks(1).getFirst();
    Claim second = fixture.owners.claim(SHOP, "b", 10);
    Claim same = fixture.owners.claim(SHOP, "b", 10);
    assertThat(first.epoch()).isEqualTo(1);
    assertThat(second.epoch()).isEqualTo(2);
    assertThat(same.epoch()).isEqualTo(3);
    assertThat(block).isEqualTo(first.firstSeq() + OwnerRepository.SEQ_BLOCK);
    assertThat(second.firstSeq()).isEqualTo(block + OwnerRepository.SEQ_BLOCK);
    assertThat(fixture.owners.claim(BANK, "b", 10).epoch()).as("each app has its own").isEqualTo(1);
  }

  @Test
  void claimCountsWhatWaitsUpToTheLimit() throws Exception {
    fixture.owners.claim(SHOP, "a", 0);
    fixture.rows(SHOP, 1, 7);
    assertThat(fixture.owners.claim(SHOP, "a", 100).pending()).isEqualTo(7);
    assertThat(fixture.owners.claim(SHOP, "a", 5).pending()).isEqualTo(5);
    assertThat(fixture.owners.claim(BANK, "a", 5).pending()).isZero();
  }

  @Test
  void renewsOnlyForTheOwner() throws Exception {
    fixture.owners.claim(SHOP, "a", 0);
    assertThat(fixture.owners.renew(SHOP, 1)).hasValue(2);
    assertThat(fixture.owners.renew(SHOP, 1)).isEmpty();
    assertThat(fixture.owners.renew(SHOP, 3)).isEmpty();
    assertThat(fixture.owners.renew(BANK, 1)).isEmpty();
    assertThat(fixture.text("select node from viesti.outbox_owner")).isEqualTo("a");
  }

  @Test
  void releasesOnlyForTheOwnerAndKeepsTheEpoch() throws Exception {
    fixture.owners.claim(SHOP, "a", 0);
    fixture.owners.claim(SHOP, "b", 0);
    fixture.owners.release(SHOP, 1, Duration.ZERO);
    assertThat(fixture.text("select node from viesti.outbox_owner")).isEqualTo("b");
    fixture.owners.release(SHOP, 2, Duration.ZERO);
    assertThat(fixture.text("select node from viesti.outbox_owner")).isEqualTo("null");
    assertThat(fixture.owners.claim(SHOP, "c", 0).epoch()).isEqualTo(3);
  }

  @Test
  void saysForHowLongAnOwnerThatReleasedHadStartedNothing() throws Exception {
    assertThat(fixture.owners.claim(SHOP, "a", 0).quiet()).as("there was none").isNull();
    assertThat(fixture.owners.claim(SHOP, "b", 0).quiet()).as("it was killed").isNull();
    fixture.owners.release(SHOP, 2, Duration.ofSeconds(90));
    assertThat(fixture.owners.claim(SHOP, "c", 0).quiet())
        .isBetween(Duration.ofSeconds(90), Duration.ofSeconds(120));
    assertThat(fixture.owners.claim(SHOP, "d", 0).quiet()).as("c was killed").isNull();
  }

  @Test
  void findsAppsWithDueRowsPageByPage() throws Exception {
    for (String name : List.of("c", "a", "b-1", "b")) {
      var app = new AppId(name);
      fixture.owners.claim(app, "node", 0);
      fixture.rows(app, 1, 3);
    }
    fixture.owners.claim(SHOP, "node", 0);
    assertThat(names(fixture.housekeeping.dueApps(NOW, null, 3))).containsExactly("a", "b", "b-1");
    assertThat(names(fixture.housekeeping.dueApps(NOW, new AppId("b-1"), 3))).containsExactly("c");
    assertThat(fixture.housekeeping.dueApps(NOW, new AppId("c"), 3)).isEmpty();
  }

  @Test
  void leavesAppsAloneUntilTheirFirstRowIsDue() throws Exception {
    fixture.owners.claim(SHOP, "dead", 0);
    List<Delivery> rows = fixture.rows(SHOP, 1, 2);
    fixture.retried(SHOP, 1, rows, Duration.ofSeconds(10));
    assertThat(fixture.housekeeping.dueApps(NOW, null, 10)).isEmpty();
    assertThat(fixture.housekeeping.dueApps(NOW.plusSeconds(9), null, 10)).isEmpty();
    assertThat(fixture.housekeeping.dueApps(NOW.plusSeconds(10), null, 10)).containsExactly(SHOP);
  }

  @Test
  void findsAppsThatNobodyEverOwned() throws Exception {
    fixture.owners.claim(SHOP, "live", 0);
    fixture.row(SHOP, 1);
    fixture.execute("delete from viesti.outbox_owner");
    assertThat(fixture.housekeeping.dueApps(NOW, null, 10)).containsExactly(SHOP);
  }

  private static List<String> names(List<AppId> apps) {
    return apps.stream().map(AppId::value).toList();
  }
}
