package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.handler;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.deadletter.DeadLetter;
import dev.viesti.protocol.deadletter.Resolution;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.trigger.OnFailure;
import dev.viesti.protocol.trigger.OrderBy;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** What happens to the deliveries of a key when one of them is given up on. */
final class OnFailurePostgresTest {
  private static final AppId APP = new AppId("shop");
  private static final TriggerId TRIGGER = new TriggerId("orders");
  private static final DeadLetterQuery OPEN = new DeadLetterQuery(TRIGGER, false);

  private final List<String> ran = new CopyOnWriteArrayList<>();
  private final Set<String> failing = ConcurrentHashMap.newKeySet();
  private final Map<String, EventHandler> handlers =
      Map.of(
          "orders",
          call -> {
            String name = call.event().data().utf8();
            ran.add(name);
            return failing.contains(name)
                ? new Outcome.Permanent("no: " + name)
                : Outcome.Succeeded.PLAIN;
          });

  @Test
  void skipsPastTheOneThatFailed() throws Exception {
    try (TestNode node = start(TestNode.database(), OnFailure.SKIP)) {
      failing.add("\"a1\"");
      publish(node, "a1", "a2", "b1");
      until("the others run", () -> ran.size() == 3);
      until("it is a dead letter", () -> letters(node).size() == 1);
    }
  }

  @Test
  void blocksItsKeyUntilSomebodyRetriesOrCancels() throws Exception {
    TestDatabase database = TestNode.database();
    failing.add("\"a1\"");
    try (TestNode node = start(database, OnFailure.BLOCK)) {
      publish(node, "a1", "a2", "a3", "b1");
      until("the other key flows on", () -> ran.contains("\"b1\""));
      until("it is blocked", () -> states(node).contains(DeliveryView.State.BLOCKED));
      assertThat(letters(node)).isEmpty();
    }
    try (TestNode node = start(database, OnFailure.BLOCK)) { // a restart changes nothing
      publish(node, "a4", "b2");
      until("the other key flows on", () -> ran.contains("\"b2\""));
      assertThat(ran).containsExactlyInAnyOrder("\"a1\"", "\"b1\"", "\"b2\"");
      var blocked =
          get(node.viesti.listDeliveries(APP, null, null, 10)).stream()
              .filter(view -> view.state() == DeliveryView.State.BLOCKED)
              .toList();
      assertThat(blocked).hasSize(1);
      var id = blocked.getFirst().delivery().id();
      get(node.viesti.retryDelivery(APP, id, "me"));
      until("it is tried again", () -> ran.stream().filter("\"a1\""::equals).count() == 2);
      until("and blocks again", () -> states(node).contains(DeliveryView.State.BLOCKED));
      assertThat(ran).doesNotContain("\"a2\"");
      get(node.viesti.cancelDelivery(APP, id, "me"));
      until("the key goes on", () -> ran.contains("\"a4\""));
      assertThat(ofKey("a")).endsWith("\"a2\"", "\"a3\"", "\"a4\"");
    }
  }

  @Test
  void parksItsKeyAndReplaysItInOrder() throws Exception {
    TestDatabase database = TestNode.database();
    failing.add("\"a1\"");
    try (TestNode node = start(database, OnFailure.PARK)) {
      publish(node, "a1", "a2", "a3", "b1");
      until("all of the key are dead letters", () -> letters(node).size() == 3);
      until("the other key flows on", () -> ran.contains("\"b1\""));
    }
    try (TestNode node = start(database, OnFailure.PARK)) { // a restart changes nothing
      publish(node, "a4", "b2");
      until("what comes later joins them", () -> letters(node).size() == 4);
      until("the other key flows on", () -> ran.contains("\"b2\""));
      assertThat(ofKey("a")).containsExactly("\"a1\"");
      failing.clear();
      DeadLetter anyOfThem = letters(node).get(1);
      get(node.viesti.replayDeadLetter(APP, anyOfThem.id(), "me"));
      until("all of the key run", () -> ofKey("a").size() == 5);
      publish(node, "a5");
      until("and later ones", () -> ofKey("a").size() == 6);
      assertThat(ofKey("a"))
          .containsExactly("\"a1\"", "\"a1\"", "\"a2\"", "\"a3\"", "\"a4\"", "\"a5\"");
      assertThat(letters(node)).isEmpty();
    }
  }

  @Test
  void goesOnWithAKeyOfWhichSomebodyResolvedTheLastDeadLetter() throws Exception {
    failing.add("\"a1\"");
    try (TestNode node = start(TestNode.database(), OnFailure.PARK)) {
      publish(node, "a1", "a2");
      until("both are dead letters", () -> letters(node).size() == 2);
      for (DeadLetter letter : letters(node)) {
        get(node.viesti.resolveDeadLetter(APP, letter.id(), Resolution.IGNORED, null, "me"));
      }
      for (int n = 3; !ran.contains("\"a" + (n - 1) + "\""); n++) {
        String name = "a" + n;
        publish(node, name);
        until(
            "it runs, or joins the dead letters while the owner asks the table",
            () -> ran.contains('"' + name + '"') || !letters(node).isEmpty());
        for (DeadLetter letter : letters(node)) {
          get(node.viesti.resolveDeadLetter(APP, letter.id(), Resolution.IGNORED, null, "me"));
        }
      }
    }
  }

  private TestNode start(TestDatabase database, OnFailure rule) {
    TestNode node = TestNode.start(database, handlers, "");
    get(node.viesti.putApp(APP, AppSettings.DEFAULT, null, "me"));
    get(
        node.viesti.putTrigger(
            APP,
            TRIGGER,
            handler("orders", "*", 1, OrderBy.SUBJECT).withOnFailure(rule),
            null,
            "me"));
    return node;
  }

  /** Each in an event of its own; the first letter is the ordering key. */
  private static void publish(TestNode node, String... names) {
    List<Event> events = new ArrayList<>();
    for (String name : names) {
      events.add(event("order", name.substring(0, 1), '"' + name + '"'));
    }
    get(node.viesti.publish(APP, events));
  }

  private List<String> ofKey(String key) {
    return ran.stream().filter(name -> name.startsWith('"' + key)).toList();
  }

  private static List<DeadLetter> letters(TestNode node) {
    return get(node.viesti.listDeadLetters(APP, OPEN, null, 10));
  }

  private static List<DeliveryView.State> states(TestNode node) {
    return get(node.viesti.listDeliveries(APP, null, null, 10)).stream()
        .map(DeliveryView::state)
        .toList();
  }
}
