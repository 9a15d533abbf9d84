package dev.viesti.ops.api;

import java.util.List;

/** Who is in the cluster, as this node sees it. */
@FunctionalInterface
public interface ClusterMembers {
  List<Node> now();

  /**
   * @param address the node's address inside the cluster
   * @param status {@code joining}, {@code up}, {@code leaving} …
   * @param self whether it is the node that answers
   * @param leader whether it decides who joins and who leaves
   * @param reachable false while this node hears nothing from it
   */
  record Node(
      String address,
      String status,
      List<String> roles,
      boolean self,
      boolean leader,
      boolean reachable) {}
}
