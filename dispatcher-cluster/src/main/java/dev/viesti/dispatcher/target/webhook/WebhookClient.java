package dev.viesti.dispatcher.target.webhook;

import java.net.Proxy;
import java.net.Socket;
import java.time.Duration;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SchemePortResolver;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.io.DefaultHttpClientConnectionOperator;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.impl.routing.DefaultRoutePlanner;
import org.apache.hc.client5.http.io.HttpClientConnectionOperator;
import org.apache.hc.client5.http.ssl.TlsSocketStrategy;
import org.apache.hc.core5.http.URIScheme;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.config.RegistryBuilder;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/** Builds the HTTP client: one pool, and nothing that acts on its own. */
final class WebhookClient {
  /** A connection is renewed after this, so that a changed DNS entry is seen and checked again. */
  private static final TimeValue CONNECTION_LIFE = TimeValue.ofMinutes(5);

  /** A connection that was idle for longer is tested, as servers close theirs any time. */
  private static final TimeValue VALIDATE_AFTER = TimeValue.ofSeconds(1);

  /** Bounds of a response's head; its body is bounded by the reader. */
  private static final Http1Config HEAD_BOUNDS =
      Http1Config.custom()
          .setMaxLineLength(16 * 1_024)
          .setMaxHeaderCount(200)
          .setMaxEmptyLineCount(4)
          .build();

  private WebhookClient() {}

  static CloseableHttpClient create(WebhookSettings.Pool pool, DnsResolver guard) {
    ConnectionConfig connections =
        ConnectionConfig.custom()
            .setConnectTimeout(timeout(pool.connectTimeout()))
            .setValidateAfterInactivity(VALIDATE_AFTER)
            .setTimeToLive(CONNECTION_LIFE)
            .build();
    PoolingHttpClientConnectionManager manager =
        new DirectConnections()
            .setDnsResolver(guard)
            .setMaxConnTotal(pool.connectionsMax())
            .setMaxConnPerRoute(pool.connectionsPerRouteMax())
            .setDefaultConnectionConfig(connections)
            .setConnectionFactory(
                ManagedHttpClientConnectionFactory.builder().http1Config(HEAD_BOUNDS).build())
            .build();
    return HttpClientBuilder.create()
        .setConnectionManager(manager)
        // the default planner asks the system's proxy selector, which would go around the guard
        .setRoutePlanner(new DefaultRoutePlanner(null))
        .setDefaultRequestConfig(
            RequestConfig.custom()
                .setProtocolUpgradeEnabled(false)
                .setAuthenticationEnabled(false)
                .build())
        .disableRedirectHandling()
        .disableAutomaticRetries()
        .disableCookieManagement()
        .disableContentCompression() // no bombs
        .disableAuthCaching()
        .disableDefaultUserAgent()
        .evictExpiredConnections()
        .evictIdleConnections(timeout(pool.idleEvict()))
        .build();
  }

  static Timeout timeout(Duration duration) {
    return Timeout.ofMilliseconds(Math.max(1, duration.toMillis()));
  }

  /** Sockets that ignore {@code socksProxyHost}: a proxy would resolve names by itself. */
  private static final class DirectConnections extends PoolingHttpClientConnectionManagerBuilder {
    @Override
    protected HttpClientConnectionOperator createConnectionOperator(
        SchemePortResolver ports, DnsResolver names, TlsSocketStrategy tls) {
      return new DefaultHttpClientConnectionOperator(
          proxy -> new Socket(Proxy.NO_PROXY),
          ports,
          names,
          RegistryBuilder.<TlsSocketStrategy>create().register(URIScheme.HTTPS.id, tls).build());
    }
  }
}
