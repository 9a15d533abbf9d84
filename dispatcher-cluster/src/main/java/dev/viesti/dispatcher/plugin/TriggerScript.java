package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.script.ScriptEngine;
import dev.viesti.protocol.plugin.Permission;
import dev.viesti.protocol.plugin.PluginLimits;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A trigger's script, and what it may do.
 *
 * @param limits but for their timeout: a script has that of its trigger
 */
record TriggerScript(
    TriggerId trigger,
    String source,
    String function,
    List<Permission> permissions,
    PluginLimits limits)
    implements Caller {
  /**
   * @throws IllegalArgumentException when {@link #misfit} has something to say
   */
  static TriggerScript of(TriggerId trigger, Target.Script target) {
    return new TriggerScript(
        trigger,
        target.source(),
        target.function(),
        target.permissions().stream().map(Permission::of).toList(),
        limits(target));
  }

  /** What of a target, apart from its source, cannot be; null when all of it can. */
  static Refusal.@Nullable Invalid misfit(Target.Script target) {
    List<String> permissions = new ArrayList<>(target.permissions());
    for (int i = 0; i < permissions.size(); i++) {
      String problem = problem(permissions.get(i));
      if (problem != null) {
        return new Refusal.Invalid("/target/script/permissions/" + i, problem);
      }
    }
    try {
      var unused = limits(target);
      return null;
    } catch (IllegalArgumentException wrong) {
      return new Refusal.Invalid("/target/script/fuel", String.valueOf(wrong.getMessage()));
    }
  }

  private static @Nullable String problem(String permission) {
    try {
      return switch (Permission.of(permission).action()) {
        case ENTITY_WRITE, NUMBERING_NEXT, CONFIG_READ ->
            "%s is for plugins, whose entities, numbers and configuration they are: leave it out"
                .formatted(permission);
        case KV_READ, KV_WRITE, ENTITY_READ, EVENT_PUBLISH, LOG_WRITE, CONTEXT_READ -> null;
      };
    } catch (IllegalArgumentException wrong) {
      return wrong.getMessage();
    }
  }

  private static PluginLimits limits(Target.Script target) {
    PluginLimits all = ScriptEngine.LIMITS_DEFAULT;
    Long fuel = target.fuel();
    return fuel == null ? all : new PluginLimits(fuel, all.timeout(), all.memoryPages());
  }

  @Override
  public String kind() {
    return "script";
  }

  @Override
  public String name() {
    return trigger.value();
  }

  @Override
  public String grantor() {
    return "the target";
  }
}
