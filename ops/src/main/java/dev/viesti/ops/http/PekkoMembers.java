package dev.viesti.ops.http;

import dev.viesti.ops.api.ClusterMembers;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.ClusterEvent.CurrentClusterState;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;

/** The members that this node's Pekko cluster knows of. */
public final class PekkoMembers implements ClusterMembers {
  private final Cluster cluster;

  public PekkoMembers(ActorSystem<?> system) {
    this.cluster = Cluster.get(system);
  }

  @Override
  public List<ClusterMembers.Node> now() {
    CurrentClusterState state = cluster.state();
    Address self = cluster.selfMember().address();
    Address leader = state.getLeader();
    Set<Member> unreachable = state.getUnreachable();
    List<ClusterMembers.Node> members = new ArrayList<>();
    for (Member member : state.getMembers()) {
      members.add(
          new ClusterMembers.Node(
              member.address().toString(),
              member.status().toString().toLowerCase(Locale.ROOT),
              List.copyOf(new TreeSet<>(member.getRoles())),
              member.address().equals(self),
              member.address().equals(leader),
              !unreachable.contains(member)));
    }
    members.sort(Comparator.comparing(ClusterMembers.Node::address));
    return members;
  }
}
