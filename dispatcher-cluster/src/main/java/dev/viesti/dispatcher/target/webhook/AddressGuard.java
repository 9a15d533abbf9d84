package dev.viesti.dispatcher.target.webhook;

import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressNetwork;
import inet.ipaddr.IPAddressString;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.hc.client5.http.DnsResolver;
import org.jspecify.annotations.Nullable;

/**
 * Keeps webhooks off the operator's own network (server-side request forgery). It is the HTTP
 * client's resolver: the client connects to an address that this class has returned and looks
 * nothing up itself, so a name cannot resolve to one address for the check and to another for the
 * connection. Addresses that are not public are left out; when none remains the attempt is refused.
 *
 * <p>Thread-safe.
 */
public final class AddressGuard implements DnsResolver {
  /** Looks up all addresses of a name; a test may answer what it likes. */
  @FunctionalInterface
  interface Lookup {
    InetAddress[] addressesOf(String host) throws UnknownHostException;
  }

  /** There is no address that webhooks may call. */
  static final class RefusedException extends UnknownHostException {
    private static final long serialVersionUID = 1L;

    RefusedException(String message) {
      super(message);
    }
  }

  private final boolean allowPrivateTargets;
  private final AllowList allowList;
  private final Lookup lookup;
  private final Duration lookupTimeout;

  /** Lookups that run, by the thread that waits for them. */
  private final ConcurrentHashMap<Thread, FutureTask<InetAddress[]>> waiting =
      new ConcurrentHashMap<>();

  AddressGuard(WebhookSettings.Reach reach, Lookup lookup, Duration lookupTimeout) {
    this.allowPrivateTargets = reach.allowPrivateTargets();
    this.allowList = AllowList.parse(reach.allowList());
    this.lookup = lookup;
    this.lookupTimeout = lookupTimeout;
  }

  /** With the system's name service. */
  public static AddressGuard of(WebhookSettings settings) {
    return new AddressGuard(
        settings.reach(), InetAddress::getAllByName, settings.pool().connectTimeout());
  }

  /**
   * Whether a trigger with this URL could never be delivered. Looks nothing up, so it sees only
   * literal addresses and {@code localhost}; every attempt is checked again.
   *
   * @return what is wrong and how to put it right, or null
   */
  public @Nullable String check(URI url) {
    String host = url.getHost() == null ? "" : normal(url.getHost());
    if (allowPrivateTargets || allowList.hasHost(host)) {
      return null;
    }
    if (host.isEmpty()) {
      return "the URL has no host";
    }
    if (host.equals("localhost") || host.endsWith(".localhost")) {
      return refusal(host, "a loopback address");
    }
    IPAddress literal = new IPAddressString(host).getAddress();
    if (literal == null) {
      return null;
    }
    String why = whyNot(literal);
    return why == null ? null : refusal(host, why);
  }

  @Override
  public InetAddress[] resolve(String host) throws UnknownHostException {
    String name = normal(host);
    InetAddress[] found = lookedUp(name);
    if (allowPrivateTargets || allowList.hasHost(name)) {
      return found;
    }
    List<InetAddress> allowed = new ArrayList<>(found.length);
    String why = "nothing";
    for (InetAddress address : found) {
      String reason = whyNot(new IPAddressNetwork.IPAddressGenerator().from(address));
      if (reason == null) {
        allowed.add(address);
      } else {
        why = reason;
      }
    }
    if (allowed.isEmpty()) {
      throw new RefusedException(refusal(name, why));
    }
    return allowed.toArray(InetAddress[]::new);
  }

  /** Ends the lookup for which {@code caller} waits, if it does. */
  void giveUp(Thread caller) {
    FutureTask<InetAddress[]> task = waiting.get(caller);
    if (task != null) {
      task.cancel(true);
    }
  }

  /** Never asked for by a client without Kerberos. */
  @Override
  public String resolveCanonicalHostname(String host) {
    return host;
  }

  private @Nullable String whyNot(IPAddress address) {
    return allowList.hasAddress(address) ? null : PublicAddress.whyNot(address);
  }

  private static String refusal(String host, String why) {
    return "refused to call "
        + host
        + ": it is "
        + why
        + "; an operator can allow it with --allow-private-targets or viesti.webhook.allow-list";
  }

  /** Without the brackets of a literal IPv6 address and the dot of a rooted name. */
  private static String normal(String host) {
    String name = host.toLowerCase(Locale.ROOT);
    if (name.startsWith("[") && name.endsWith("]")) {
      return name.substring(1, name.length() - 1);
    }
    return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
  }

  /** On a thread of its own: the system's lookup can neither be interrupted nor given a timeout. */
  private InetAddress[] lookedUp(String host) throws UnknownHostException {
    FutureTask<InetAddress[]> task = new FutureTask<>(() -> lookup.addressesOf(host));
    Thread.ofVirtual().name("viesti-webhook-lookup").start(task);
    waiting.put(Thread.currentThread(), task);
    try {
      return task.get(lookupTimeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException late) {
      throw unknown("no answer from the name service for " + host, late);
    } catch (ExecutionException failed) {
      throw unknown("unknown host " + host, failed);
    } catch (CancellationException givenUp) {
      throw unknown("the attempt's time was up before the name service answered", givenUp);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw unknown("interrupted", interrupted);
    } finally {
      waiting.remove(Thread.currentThread());
    }
  }

  private static UnknownHostException unknown(String message, Exception cause) {
    UnknownHostException unknown = new UnknownHostException(message);
    unknown.initCause(cause);
    return unknown;
  }
}
