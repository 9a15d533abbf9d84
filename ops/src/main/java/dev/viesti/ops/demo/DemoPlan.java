package dev.viesti.ops.demo;

import java.util.stream.IntStream;

/**
 * Which events are sent, and what must become of them.
 *
 * <p>Every event is an order. {@code works} takes all of them; every 10th is flagged and goes to
 * {@code flaky} as well, which fails twice and then works; every 100th is rejected and goes to
 * {@code broken} as well, which always fails.
 *
 * @param events how many, 1 or more
 */
record DemoPlan(int events) {
  static final String APP = "demo";
  static final String WORKS = "works";
  static final String FLAKY = "flaky";
  static final String BROKEN = "broken";

  /** Answers of {@code flaky} before the good one. */
  static final int FLAKY_FAILURES = 2;

  /** Attempts that {@code broken} gets, the first included. */
  static final int BROKEN_ATTEMPTS = 3;

  private static final int FLAGGED_EVERY = 10;
  private static final int REJECTED_EVERY = 100;

  /** The event's type; {@code index} counts from 0. */
  String type(int index) {
    if ((index + 1) % REJECTED_EVERY == 0) {
      return "orders.rejected";
    }
    return (index + 1) % FLAGGED_EVERY == 0 ? "orders.flagged" : "orders.created";
  }

  /** The CloudEvents id. */
  String id(int index) {
    return "order-" + index;
  }

  String json(int index) {
    return """
        {"specversion":"1.0","id":"%s","source":"demo/shop","type":"%s","subject":"customer-%d",\
        "data":{"order":%d,"amount":%d.50}}"""
        .formatted(id(index), type(index), index % 97, index, 10 + index % 90);
  }

  long flagged() {
    return count("orders.flagged");
  }

  long rejected() {
    return count("orders.rejected");
  }

  /** Deliveries in all: {@code works} gets every event. */
  long deliveries() {
    return events + flagged() + rejected();
  }

  /** Requests that a receiver must see when no delivery is attempted once too often. */
  long requests() {
    return events + flagged() * (FLAKY_FAILURES + 1L) + rejected() * BROKEN_ATTEMPTS;
  }

  /** Attempts that fail and are followed by another. */
  long retries() {
    return flagged() * FLAKY_FAILURES + rejected() * (BROKEN_ATTEMPTS - 1L);
  }

  private long count(String type) {
    return IntStream.range(0, events).filter(index -> type(index).equals(type)).count();
  }
}
