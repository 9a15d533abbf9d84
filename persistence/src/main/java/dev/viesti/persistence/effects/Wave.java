package dev.viesti.persistence.effects;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Calls of a batch that can be written by one transaction: none expects of a row what an earlier
 * one of them changes. Two that write a value whatever is there are no obstacle, the later one
 * wins.
 *
 * @param later the others: whether they can be written is known when the wave is
 */
record Wave(List<Call> now, List<Later> later) {
  /** Met a call of the wave at a target; a verdict only if that one is written. */
  record Met(Call earlier, Target target) {}

  /**
   * @param met may be none: then the call is behind another later one
   */
  record Later(Call call, List<Met> met) {}

  static Wave of(List<Call> calls) {
    List<Call> now = new ArrayList<>(calls.size());
    List<Later> later = new ArrayList<>();
    Map<Target, Call> written = new HashMap<>();
    Set<Target> delayed = new HashSet<>();
    for (Call call : calls) {
      List<Target.Write> writes = Target.Write.of(call.effects());
      List<Met> met = new ArrayList<>(0);
      boolean behind = false;
      for (Target.Write write : writes) {
        Call earlier = write.blind() ? null : written.get(write.target());
        if (earlier != null) {
          met.add(new Met(earlier, write.target()));
        }
        behind |= !delayed.isEmpty() && delayed.contains(write.target());
      }
      if (met.isEmpty() && !behind) {
        now.add(call);
        writes.forEach(write -> written.put(write.target(), call));
      } else {
        later.add(new Later(call, met));
        writes.forEach(write -> delayed.add(write.target()));
      }
    }
    return new Wave(now, later);
  }
}
