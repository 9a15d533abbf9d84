package dev.viesti.dispatcher.target.webhook;

import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Hosts and address blocks that an operator lets webhooks reach although they are not public.
 *
 * @param hosts names in lower case, exact
 */
record AllowList(Set<String> hosts, List<IPAddress> blocks) {
  private static final Pattern HOST = Pattern.compile("[a-z0-9]([a-z0-9._-]*[a-z0-9])?");

  /**
   * @throws IllegalArgumentException naming the entry that is neither
   */
  static AllowList parse(List<String> entries) {
    Set<String> hosts = new HashSet<>();
    List<IPAddress> blocks = new ArrayList<>();
    for (String entry : entries) {
      IPAddress block = new IPAddressString(entry).getAddress();
      String host = entry.toLowerCase(Locale.ROOT);
      if (block != null && !entry.isBlank()) {
        blocks.add(block.isPrefixed() ? block.toPrefixBlock() : block);
      } else if (HOST.matcher(host).matches()) {
        hosts.add(host);
      } else {
        throw new IllegalArgumentException(
            "viesti.webhook.allow-list has host names, addresses and CIDR blocks, not '"
                + entry
                + "'");
      }
    }
    return new AllowList(Set.copyOf(hosts), List.copyOf(blocks));
  }

  boolean hasHost(String host) {
    return hosts.contains(host);
  }

  boolean hasAddress(IPAddress address) {
    return blocks.stream().anyMatch(block -> block.contains(address));
  }
}
