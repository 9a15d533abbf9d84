package dev.viesti.dispatcher.target.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressGuardTest {
  private static AddressGuard guard(
      boolean allowPrivate, List<String> allow, AddressGuard.Lookup lookup) {
    return new AddressGuard(
        new WebhookSettings.Reach(allowPrivate, allow), lookup, Duration.ofSeconds(2));
  }

  private static AddressGuard strict(AddressGuard.Lookup lookup) {
    return guard(false, List.of(), lookup);
  }

  private static InetAddress address(String literal) throws UnknownHostException {
    return InetAddress.getAllByName(literal)[0];
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.170",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.168.255.255",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::2",
        "::10.0.0.1",
        "::8.8.8.8",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808",
        "100::1",
        "100:0:0:1::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:a00:1::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "3fff::1",
        "3fff:fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%1",
        "fec0::1",
        "ff02::1",
        "ff0e::1"
      })
  void refuses(String literal) throws Exception {
    AddressGuard guard = strict(host -> new InetAddress[] {address(literal)});
    assertThatThrownBy(() -> guard.resolve("evil.example"))
        .isInstanceOf(AddressGuard.RefusedException.class)
        .hasMessageContaining("evil.example")
        .hasMessageContaining("--allow-private-targets");
    String host = literal.contains(":") ? "[" + literal.replaceAll("%.*", "") + "]" : literal;
    assertThat(guard.check(URI.create("https://" + host + "/x"))).isNotNull();
    assertThat(guard(true, List.of(), InetAddress::getAllByName).resolve(host)).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "2a00:1450::1",
        "64:ff9b::8.8.8.8",
        "::ffff:8.8.8.8"
      })
  void lets(String literal) throws Exception {
    AddressGuard guard = strict(host -> new InetAddress[] {address(literal)});
    assertThat(guard.resolve("good.example")).containsExactly(address(literal));
    String host = literal.contains(":") ? "[" + literal + "]" : literal;
    assertThat(guard.check(URI.create("https://" + host + "/x"))).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://localhost", "http://LOCALHOST:8080", "http://localhost./", "http://a.localhost/",
        "http://2130706433/", "http://0x7f000001/", "http://017700000001/", "http://127.0.0.1./"
      })
  void seesThroughDisguisesAtRegistration(String url) {
    assertThat(strict(InetAddress::getAllByName).check(URI.create(url))).isNotNull();
  }

  @Test
  void looksNothingUpAtRegistration() {
    AddressGuard guard =
        strict(
            host -> {
              throw new AssertionError("looked up " + host);
            });
    assertThat(guard.check(URI.create("https://hooks.example.org:8443/x"))).isNull();
  }

  @Test
  void leavesOutWhatIsNotPublic() throws Exception {
    AddressGuard guard =
        strict(host -> new InetAddress[] {address("10.0.0.1"), address("8.8.8.8"), address("::1")});
    assertThat(guard.resolve("mixed.example")).containsExactly(address("8.8.8.8"));
  }

  @Test
  void letsWhatTheOperatorLists() throws Exception {
    AddressGuard guard =
        guard(
            false,
            List.of("10.1.0.0/16", "fd00::/8", "Hooks.Internal", "192.168.7.7"),
            host ->
                new InetAddress[] {
                  address(
                      switch (host) {
                        case "block" -> "10.1.2.3";
                        case "v6" -> "fd00::5";
                        case "single" -> "192.168.7.7";
                        case "outside" -> "10.2.0.1";
                        default -> "10.9.9.9";
                      })
                });
    assertThat(guard.resolve("block")).hasSize(1);
    assertThat(guard.resolve("v6")).hasSize(1);
    assertThat(guard.resolve("single")).hasSize(1);
    assertThat(guard.resolve("hooks.internal.")).hasSize(1);
    assertThatThrownBy(() -> guard.resolve("outside")).isInstanceOf(UnknownHostException.class);
    assertThatThrownBy(() -> guard.resolve("other")).isInstanceOf(UnknownHostException.class);
    assertThat(guard.check(URI.create("http://10.1.0.9/"))).isNull();
    assertThat(guard.check(URI.create("http://10.2.0.9/"))).isNotNull();
    assertThat(guard.check(URI.create("http://HOOKS.internal/"))).isNull();
  }

  @Test
  void refusesAListThatMeansNothing() {
    for (String entry : List.of("", "10.0.0.0/40", "http://x", "a b", "*")) {
      assertThatThrownBy(() -> new WebhookSettings.Reach(false, List.of(entry)))
          .as(entry)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("viesti.webhook.allow-list");
    }
  }

  @Test
  void doesNotWaitForASilentNameService() {
    CountDownLatch never = new CountDownLatch(1);
    AddressGuard guard =
        new AddressGuard(
            new WebhookSettings.Reach(false, List.of()),
            host -> {
              try {
                never.await();
              } catch (InterruptedException over) {
                Thread.currentThread().interrupt();
              }
              throw new UnknownHostException(host);
            },
            Duration.ofMillis(100));
    assertThatThrownBy(() -> guard.resolve("slow.example"))
        .isInstanceOf(UnknownHostException.class)
        .hasMessageContaining("no answer from the name service");
    never.countDown();
  }
}
