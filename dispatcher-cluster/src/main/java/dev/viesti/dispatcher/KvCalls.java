package dev.viesti.dispatcher;

import dev.viesti.persistence.effects.KvRepository;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Payload;
import java.sql.SQLException;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** An app's values, read and written from any node: their versions keep writers apart. */
final class KvCalls {
  private final AppCalls calls;
  private final KvRepository values;

  KvCalls(AppCalls calls, KvRepository values) {
    this.calls = calls;
    this.values = values;
  }

  CompletionStage<KvValue> get(AppId app, String collection, String key) {
    return read(
        () -> {
          KvRepository.Value value = values.get(app, collection, key);
          if (value == null) {
            throw unknown(collection, key);
          }
          return new KvValue(value.data(), value.version(), value.updatedAt());
        });
  }

  CompletionStage<List<KvKey>> list(
      AppId app, String collection, String prefix, @Nullable String after, int limit) {
    return read(
        () ->
            values.list(app, collection, prefix, after, limit).stream()
                .map(key -> new KvKey(key.key(), key.version(), key.bytes(), key.updatedAt()))
                .toList());
  }

  CompletionStage<Long> put(
      AppId app, String collection, String key, Payload value, @Nullable Long expected) {
    return read(
        () -> {
          OptionalLong version = values.put(app, collection, key, value, expected);
          if (version.isEmpty()) {
            throw stale(app, collection, key);
          }
          return version.getAsLong();
        });
  }

  CompletionStage<Void> delete(AppId app, String collection, String key, @Nullable Long expected) {
    return this.<Boolean>read(
            () -> {
              boolean deleted = values.delete(app, collection, key, expected);
              if (!deleted && values.get(app, collection, key) == null) {
                throw unknown(collection, key);
              }
              if (!deleted) {
                throw stale(app, collection, key);
              }
              return true;
            })
        .thenApply(done -> null);
  }

  private RefusedException stale(AppId app, String collection, String key) throws SQLException {
    KvRepository.Value there = values.get(app, collection, key);
    return new RefusedException(
        new Refusal.PreconditionFailed(there == null ? 0 : there.version()));
  }

  private static RefusedException unknown(String collection, String key) {
    return RefusedException.notFound(
        "there is no value '%s' in collection '%s'".formatted(key, collection));
  }

  /** The repository knows what a value may be called, and says so. */
  private <T> CompletionStage<T> read(Callable<T> statement) {
    return calls.read(
        () -> {
          try {
            return statement.call();
          } catch (IllegalArgumentException wrong) {
            String problem = String.valueOf(wrong.getMessage());
            String field = problem.substring(0, Math.max(0, problem.indexOf(' ')));
            throw new RefusedException(new Refusal.Invalid("/" + field, problem));
          }
        });
  }
}
