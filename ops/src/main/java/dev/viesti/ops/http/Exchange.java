package dev.viesti.ops.http;

import dev.viesti.ops.api.Api;
import dev.viesti.ops.api.ApiResponse;
import dev.viesti.ops.api.RequestHead;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.Uri;
import org.apache.pekko.http.javadsl.model.headers.Connection;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.SystemMaterializer;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.util.ByteString;

/** One request and its response, between pekko-http's types and ours. */
final class Exchange {
  /**
   * How much of an unwanted body is read before the answer goes out. Answering a sender that still
   * writes, and closing the connection on it, can take the answer away from it; beyond this it has
   * to live with that.
   */
  private static final long UNWANTED_BYTES_MAX = 16L * 1024 * 1024;

  private static final RawHeader NO_STORE = RawHeader.create("Cache-Control", "no-store");
  private static final Connection CLOSE = Connection.create("close");
  private static final RawHeader NO_SNIFF = RawHeader.create("X-Content-Type-Options", "nosniff");

  private final Api api;
  private final OutcomeStreams streams;
  private final Materializer materializer;
  private final Executor executor;
  private final Map<String, ContentType> contentTypes = new ConcurrentHashMap<>();

  Exchange(Api api, OutcomeStreams streams, ActorSystem<?> system) {
    this.api = api;
    this.streams = streams;
    this.materializer = SystemMaterializer.get(system).materializer();
    this.executor = system.executionContext();
  }

  CompletionStage<HttpResponse> serve(HttpRequest request) {
    RequestHead head = head(request);
    return switch (api.admit(head)) {
      case Api.Refused refused -> refuse(response(refused.response()), request.entity(), head);
      case Api.Admitted admitted -> answer(admitted, request.entity());
    };
  }

  private CompletionStage<HttpResponse> refuse(
      HttpResponse response, HttpEntity entity, RequestHead head) {
    if (entity.isStrict()) {
      return CompletableFuture.completedStage(response);
    }
    Long length = head.contentLength();
    boolean asksFirst = head.headers().containsKey("expect");
    if (asksFirst || (length != null && length > UNWANTED_BYTES_MAX)) {
      entity.getDataBytes().runWith(Sink.cancelled(), materializer);
      return CompletableFuture.completedStage(response.addHeader(CLOSE));
    }
    return entity
        .withSizeLimit(UNWANTED_BYTES_MAX)
        .discardBytes(materializer)
        .completionStage()
        .handleAsync((done, failure) -> response, executor);
  }

  private CompletionStage<HttpResponse> answer(Api.Admitted admitted, HttpEntity entity) {
    if (entity instanceof HttpEntity.Strict strict) {
      // the length is announced, so admit() has checked it
      return respond(admitted.answer(strict.getData().toArrayUnsafe()));
    }
    return entity
        .withSizeLimit(UNWANTED_BYTES_MAX)
        .getDataBytes()
        .runFold(new Gathered(admitted.bodyBytesMax()), Gathered::and, materializer)
        .handleAsync(
            (body, failure) ->
                failure != null || body.isTooLarge()
                    ? CompletableFuture.completedStage(response(admitted.tooLarge()))
                    : respond(admitted.answer(body.bytes().toArrayUnsafe())),
            executor)
        .thenComposeAsync(answer -> answer, executor);
  }

  /** What has come of a body; of one over the limit nothing but its length is kept. */
  private record Gathered(ByteString bytes, long length, int bytesMax) {
    Gathered(int bytesMax) {
      this(ByteString.emptyByteString(), 0, bytesMax);
    }

    Gathered and(ByteString more) {
      long total = length + more.length();
      ByteString kept = total > bytesMax ? ByteString.emptyByteString() : bytes.concat(more);
      return new Gathered(kept, total, bytesMax);
    }

    boolean isTooLarge() {
      return length > bytesMax;
    }
  }

  private static RequestHead head(HttpRequest request) {
    Map<String, String> headers = new HashMap<>();
    for (HttpHeader header : request.getHeaders()) {
      // a header that comes twice is a list (RFC 9110, section 5.3)
      headers.merge(header.lowercaseName(), header.value(), (one, two) -> one + ", " + two);
    }
    Uri uri = request.getUri();
    HttpEntity entity = request.entity();
    boolean typed = !entity.getContentType().equals(ContentTypes.NO_CONTENT_TYPE);
    OptionalLong length = entity.getContentLengthOption();
    return new RequestHead(
        request.method().value().toUpperCase(Locale.ROOT),
        uri.getPathString(),
        uri.rawQueryString().orElse(null),
        headers,
        typed ? entity.getContentType().toString() : null,
        length.isPresent() ? length.getAsLong() : null);
  }

  private CompletionStage<HttpResponse> respond(CompletionStage<ApiResponse> answer) {
    return answer.thenApplyAsync(this::response, executor);
  }

  private HttpResponse response(ApiResponse answer) {
    HttpResponse response =
        switch (answer.body()) {
          case ApiResponse.Empty none -> HttpResponse.create();
          case ApiResponse.Bytes body ->
              HttpResponse.create()
                  .withEntity(
                      HttpEntities.create(type(body.contentType()), body.payload().bytes()));
          case ApiResponse.Outcomes outcomes -> streams.open(outcomes.filter());
        };
    HttpResponse full =
        response.withStatus(answer.status()).addHeader(NO_STORE).addHeader(NO_SNIFF);
    for (Map.Entry<String, String> header : answer.headers().entrySet()) {
      full = full.addHeader(RawHeader.create(header.getKey(), header.getValue()));
    }
    return full;
  }

  private ContentType type(String text) {
    return contentTypes.computeIfAbsent(text, ContentTypes::parse);
  }
}
