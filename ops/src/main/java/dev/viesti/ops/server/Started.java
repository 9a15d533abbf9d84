package dev.viesti.ops.server;

import dev.viesti.persistence.embedded.EmbeddedPostgres;
import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What has been started so far, to be closed in the opposite order. For one thread at a time. */
final class Started implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Started.class);

  private final Deque<AutoCloseable> parts = new ArrayDeque<>();

  <T extends AutoCloseable> T keep(T part) {
    parts.push(part);
    return part;
  }

  /** The database that is given, or one of our own, running. */
  DatabaseAddress database(ServerSettings.Storage storage) {
    String url = storage.databaseUrl();
    if (url != null) {
      return DatabaseAddress.of(url, storage.databaseUser(), storage.databasePassword());
    }
    EmbeddedPostgres postgres = keep(EmbeddedPostgres.start(storage.dataDir()));
    return new DatabaseAddress(postgres.jdbcUrl(), postgres.user(), postgres.password());
  }

  @Override
  public void close() {
    while (!parts.isEmpty()) {
      AutoCloseable part = parts.pop();
      try {
        part.close();
      } catch (Exception failed) {
        LOG.warn("{} did not stop in order; going on with the rest", part.getClass(), failed);
      }
    }
  }
}
