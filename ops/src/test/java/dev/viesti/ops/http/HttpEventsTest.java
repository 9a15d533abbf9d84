package dev.viesti.ops.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.ops.http.ApiServer.Answer;
import dev.viesti.protocol.event.Event;
import java.io.ByteArrayInputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HttpEventsTest {
  @AutoClose private static final ApiServer API = new ApiServer();
  private static final String EVENTS = "/v1/apps/shop/events";
  private static final String STRUCTURED = "application/cloudevents+json; charset=utf-8";
  private static final String BATCH = "application/cloudevents-batch+json";
  private static final String JSON = "application/json";

  @BeforeAll
  static void createsAnApp() {
    API.put("/v1/apps/shop", "{}");
  }

  @BeforeEach
  void forgetsEvents() {
    API.viesti.published.clear();
  }

  @Test
  void acceptsStructuredBatchAndPlainJson() {
    Answer one = API.post(EVENTS, event("1", 0), STRUCTURED);
    assertThat(one.status()).isEqualTo(202);
    assertThat(one.json().toString())
        .isEqualTo("{\"events\":[{\"id\":\"1\",\"deliveries\":0,\"duplicate\":false}]}");
    String two = "[" + event("2", 0) + "," + event("3", 0) + "]";
    assertThat(API.post(EVENTS, two, BATCH).json().path("events")).hasSize(2);
    assertThat(API.post(EVENTS, " \n" + two, JSON).json().path("events")).hasSize(2);
    assertThat(API.post(EVENTS, event("4", 0), JSON).json().path("events")).hasSize(1);
    assertThat(API.viesti.published).hasSize(6);
  }

  @Test
  void acceptsBinaryMode() {
    HttpRequest request =
        API.request(EVENTS)
            .headers("ce-specversion", "1.0", "ce-source", "shop", "ce-type", "order.paid")
            .headers("ce-id", "b-1", "Content-Type", "text/plain")
            .POST(BodyPublishers.ofString("hello"))
            .build();
    assertThat(API.send(request).status()).isEqualTo(202);
    Event event = API.viesti.published.getFirst();
    assertThat(event.cloudEventId()).isEqualTo("b-1");
    assertThat(event.data().utf8()).isEqualTo("hello");
    HttpRequest json =
        API.request(EVENTS)
            .headers("ce-specversion", "1.0", "ce-source", "shop", "ce-type", "order.paid")
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString("{\"n\":1.50}"))
            .build();
    assertThat(API.send(json).status()).isEqualTo(202);
    assertThat(API.viesti.published.getLast().data().utf8()).isEqualTo("{\"n\":1.50}");
  }

  @Test
  void refusesWhatIsNoEvent() {
    Answer noSource = API.post(EVENTS, "{\"specversion\":\"1.0\",\"type\":\"t\"}", STRUCTURED);
    assertThat(noSource.status()).isEqualTo(400);
    assertThat(noSource.pointer()).isEqualTo("/source");
    Answer second = API.post(EVENTS, "[" + event("1", 0) + ",{}]", BATCH);
    assertThat(second.pointer()).startsWith("/1/");
    assertThat(API.post(EVENTS, "hello", "text/plain").status()).isEqualTo(415);
    assertThat(API.post("/v1/apps/none/events", event("1", 0), JSON).status()).isEqualTo(404);
    assertThat(API.viesti.published).isEmpty();
  }

  @Test
  void refusesWhatIsTooLargeOrTooMany() {
    String large = event("1", ApiServer.EVENT_BYTES_MAX);
    assertThat(API.post(EVENTS, large, STRUCTURED).status()).isEqualTo(413);
    assertThat(API.post(EVENTS, large, JSON).status()).isEqualTo(413);
    Answer inBatch = API.post(EVENTS, "[" + event("0", 0) + "," + large + "]", BATCH);
    assertThat(inBatch.status()).isEqualTo(413);
    assertThat(inBatch.pointer()).isEqualTo("/1");
    String many = "[" + (event("1", 0) + ",").repeat(3) + event("1", 0) + "]";
    assertThat(API.post(EVENTS, many, BATCH).status()).isEqualTo(413);
    assertThat(API.post(EVENTS, " ".repeat(ApiServer.BATCH_BYTES_MAX + 1), JSON).status())
        .isEqualTo(413);
    assertThat(API.viesti.published).isEmpty();
  }

  @Test
  void refusesAStreamedBodyOnceItIsTooLarge() {
    byte[] megabytes = new byte[5_000_000];
    Arrays.fill(megabytes, (byte) ' ');
    for (int round = 0; round < 5; round++) {
      HttpRequest streamed =
          API.request(EVENTS)
              .header("Content-Type", JSON)
              .POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(megabytes)))
              .build();
      Answer answer = API.send(streamed);
      assertThat(answer.status()).isEqualTo(413);
      assertThat(answer.problem()).isEqualTo("too-large");
    }
  }

  @Test
  void refusesByTheHeadASenderThatAsksFirst() {
    HttpRequest asking =
        API.request(EVENTS)
            .expectContinue(true)
            .header("Content-Type", STRUCTURED)
            .POST(BodyPublishers.ofByteArray(new byte[3_000_000]))
            .build();
    assertThat(API.send(asking).status()).isEqualTo(413);
    HttpRequest small =
        API.request(EVENTS)
            .expectContinue(true)
            .header("Content-Type", STRUCTURED)
            .POST(BodyPublishers.ofString(event("e", 900)))
            .build();
    assertThat(API.send(small).status()).isEqualTo(202);
  }

  @Test
  void acceptsAStreamedBodyWithinTheLimit() {
    byte[] body = event("s", 100).getBytes(StandardCharsets.UTF_8);
    HttpRequest streamed =
        API.request(EVENTS)
            .header("Content-Type", STRUCTURED)
            .POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body)))
            .build();
    assertThat(API.send(streamed).status()).isEqualTo(202);
  }

  @Test
  void answersInTimeWhenNothingElseDoes() {
    API.viesti.silent = true;
    try {
      HttpRequest request =
          API.request(EVENTS)
              .timeout(Duration.ofSeconds(10))
              .header("Content-Type", STRUCTURED)
              .POST(BodyPublishers.ofString(event("1", 0)))
              .build();
      Answer answer = API.send(request);
      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.header("Retry-After")).isEqualTo("1");
      assertThat(answer.detail()).contains("not known");
    } finally {
      API.viesti.silent = false;
    }
  }

  private static String event(String id, int padding) {
    return "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"shop\",\"type\":\"t\",\"data\":\"%s\"}"
        .formatted(id, "x".repeat(padding));
  }
}
