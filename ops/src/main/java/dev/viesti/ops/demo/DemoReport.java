package dev.viesti.ops.demo;

import dev.viesti.ops.demo.DemoReceiver.Endpoint;
import java.util.ArrayList;
import java.util.List;

/**
 * The numbers of a finished run, and which of them do not add up.
 *
 * @param accepted events that the API accepted
 * @param deliveries that the API promised in its answers
 * @param deadLetters counted through the API
 * @param left deliveries still in the outbox; at most one page of them is counted
 * @param seconds from the first event until nothing was left
 * @param sendSeconds from the first event to the last answer
 * @param settleTimes as far as the stream of outcomes showed them
 */
record DemoReport(
    DemoPlan plan,
    long accepted,
    long deliveries,
    long deadLetters,
    long left,
    double seconds,
    double sendSeconds,
    SettleTimes settleTimes) {

  /** One line of the table. */
  private record Line(String name, String value, String expected) {}

  /** Empty when everything adds up. */
  List<String> mistakes(DemoReceiver receiver) {
    var mistakes = new ArrayList<String>();
    check(mistakes, "events accepted", plan.events(), accepted);
    check(mistakes, "deliveries promised", plan.deliveries(), deliveries);
    check(mistakes, "deliveries left in the outbox", 0, left);
    check(mistakes, "dead letters", plan.rejected(), deadLetters);
    check(mistakes, "requests with a wrong signature", 0, receiver.badSignatures());
    check(mistakes, "delivery ids with two events", 0, receiver.changedEvents());
    checkEndpoint(mistakes, receiver, DemoPlan.WORKS, plan.events(), 1, 0);
    checkEndpoint(mistakes, receiver, DemoPlan.FLAKY, plan.flagged(), 1, DemoPlan.FLAKY_FAILURES);
    checkEndpoint(
        mistakes, receiver, DemoPlan.BROKEN, plan.rejected(), 0, DemoPlan.BROKEN_ATTEMPTS);
    return mistakes;
  }

  /** The table, each number beside the one that was expected. */
  String table(DemoReceiver receiver) {
    Endpoint works = receiver.endpoint(DemoPlan.WORKS);
    Endpoint flaky = receiver.endpoint(DemoPlan.FLAKY);
    var lines = new ArrayList<Line>();
    lines.add(line("events accepted", accepted, plan.events()));
    lines.add(line("deliveries", deliveries, plan.deliveries()));
    lines.add(
        line(
            "settled", works.succeeded() + flaky.succeeded(), plan.deliveries() - plan.rejected()));
    lines.add(line("attempts retried", retries(receiver), plan.retries()));
    lines.add(line("dead letters", deadLetters, plan.rejected()));
    lines.add(line("requests, all signed", receiver.requests(), plan.requests()));
    lines.add(line("left in the outbox", left, 0));
    lines.add(new Line("accept to settle p50", time(settleTimes.p50Millis()), ""));
    lines.add(new Line("accept to settle p99", time(settleTimes.p99Millis()), ""));
    lines.add(new Line("accepted per second", perSecond(accepted, sendSeconds), ""));
    lines.add(new Line("deliveries per second", perSecond(deliveries, seconds), ""));
    var table = new StringBuilder("%n%-24s %12s %12s%n".formatted("", "counted", "expected"));
    for (Line line : lines) {
      table.append(
          "%-24s %12s %12s%n"
              .formatted(line.name(), line.value(), line.expected())
              .stripTrailing());
      table.append(System.lineSeparator());
    }
    return table.toString();
  }

  private long retries(DemoReceiver receiver) {
    return receiver.endpoint(DemoPlan.FLAKY).failed()
        + receiver.endpoint(DemoPlan.BROKEN).failed()
        - deadLetters;
  }

  private String time(long millis) {
    return settleTimes.samples() == 0 ? "unknown" : "%,d ms".formatted(millis);
  }

  private static String perSecond(long count, double seconds) {
    return "%,.0f".formatted(count / Math.max(seconds, 0.001));
  }

  private static Line line(String name, long value, long expected) {
    return new Line(name, "%,d".formatted(value), "%,d".formatted(expected));
  }

  private static void checkEndpoint(
      List<String> mistakes,
      DemoReceiver receiver,
      String trigger,
      long expected,
      long succeededEach,
      long failedEach) {
    Endpoint endpoint = receiver.endpoint(trigger);
    check(mistakes, trigger + ": delivery ids seen", expected, endpoint.deliveries());
    check(mistakes, trigger + ": events seen", expected, endpoint.events());
    check(mistakes, trigger + ": good answers", expected * succeededEach, endpoint.succeeded());
    check(mistakes, trigger + ": failures", expected * failedEach, endpoint.failed());
  }

  private static void check(List<String> mistakes, String what, long expected, long counted) {
    if (expected != counted) {
      mistakes.add("%s: expected %,d, counted %,d".formatted(what, expected, counted));
    }
  }
}
