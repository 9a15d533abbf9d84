package dev.viesti.dispatcher.target.webhook;

import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import inet.ipaddr.ipv4.IPv4Address;
import inet.ipaddr.ipv6.IPv6Address;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Tells public addresses from all others, by the registries of special-purpose addresses of IANA
 * (<a href="https://www.iana.org/assignments/iana-ipv4-special-registry">IPv4</a>, <a
 * href="https://www.iana.org/assignments/iana-ipv6-special-registry">IPv6</a>).
 */
final class PublicAddress {
  private record Block(IPAddress range, String kind) {
    static Block of(String range, String kind) {
      return new Block(new IPAddressString(range).getAddress().toPrefixBlock(), kind);
    }
  }

  private static final List<Block> NOT_PUBLIC_V4 =
      List.of(
          Block.of("0.0.0.0/8", "an unspecified address"),
          Block.of("10.0.0.0/8", "a private address"),
          Block.of("100.64.0.0/10", "a carrier-grade NAT address"),
          Block.of("127.0.0.0/8", "a loopback address"),
          Block.of("168.63.129.16/32", "the host of a virtual machine in Azure"),
          Block.of("169.254.0.0/16", "a link-local address"),
          Block.of("172.16.0.0/12", "a private address"),
          Block.of("192.0.0.0/24", "an address of a protocol"),
          Block.of("192.0.2.0/24", "an address for documentation"),
          Block.of("192.88.99.0/24", "a 6to4 relay"),
          Block.of("192.168.0.0/16", "a private address"),
          Block.of("198.18.0.0/15", "an address for benchmarks"),
          Block.of("198.51.100.0/24", "an address for documentation"),
          Block.of("203.0.113.0/24", "an address for documentation"),
          Block.of("224.0.0.0/4", "a multicast address"),
          Block.of("240.0.0.0/4", "a reserved or broadcast address"));

  /** Inside of {@link #GLOBAL_V6}. */
  private static final List<Block> NOT_PUBLIC_V6 =
      List.of(
          Block.of("2001::/23", "an address of a protocol, such as Teredo"),
          Block.of("2001:db8::/32", "an address for documentation"),
          Block.of("2002::/16", "a 6to4 address"),
          Block.of("3fff::/20", "an address for documentation"));

  /** The only part of IPv6 that is given out; all else is local, special or unknown. */
  private static final Block GLOBAL_V6 = Block.of("2000::/3", "a global address");

  /** <a href="https://www.rfc-editor.org/rfc/rfc6052#section-2.1">RFC 6052</a>. */
  private static final Block NAT64 = Block.of("64:ff9b::/96", "a NAT64 address");

  private PublicAddress() {}

  /** What kind of address it is, or null for a public one. */
  static @Nullable String whyNot(IPAddress address) {
    if (address.isIPv4()) {
      return firstOf(NOT_PUBLIC_V4, address);
    }
    IPv6Address v6 = address.toIPv6().removeZone();
    if (v6.isIPv4Mapped()) {
      return embedded("an IPv4-mapped address", v6.getEmbeddedIPv4Address());
    }
    if (NAT64.range().contains(v6)) {
      return embedded(NAT64.kind(), v6.getEmbeddedIPv4Address());
    }
    return GLOBAL_V6.range().contains(v6)
        ? firstOf(NOT_PUBLIC_V6, v6)
        : "not a public IPv6 address";
  }

  private static @Nullable String embedded(String kind, IPv4Address inner) {
    String why = firstOf(NOT_PUBLIC_V4, inner);
    return why == null ? null : kind + " of " + why;
  }

  private static @Nullable String firstOf(List<Block> blocks, IPAddress address) {
    for (Block block : blocks) {
      if (block.range().contains(address)) {
        return block.kind();
      }
    }
    return null;
  }
}
