package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.PluginRelease;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.dispatcher.wire.Wire;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.trigger.TriggerId;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** What an app is asked about its plugins; {@link PluginControl} answers. */
public sealed interface PluginRequest extends App.Command, Wire {
  /** Who is to be answered. */
  ActorRef<Answer> replyTo();

  /**
   * Installs a version, or upgrades to it; answered when it has been initialized, or has failed.
   *
   * @param release whose module is stored, and whose configuration fits its manifest
   */
  record PutPlugin(
      PluginId id,
      PluginRelease release,
      @Nullable Long expectedRevision,
      String principal,
      ActorRef<Answer> replyTo)
      implements PluginRequest {}

  record GetPlugin(PluginId id, ActorRef<Answer> replyTo) implements PluginRequest {}

  record ListPlugins(ActorRef<Answer> replyTo) implements PluginRequest {}

  record EnablePlugin(PluginId id, String principal, ActorRef<Answer> replyTo)
      implements PluginRequest {}

  record DisablePlugin(PluginId id, String principal, ActorRef<Answer> replyTo)
      implements PluginRequest {}

  record RollBackPlugin(PluginId id, String principal, ActorRef<Answer> replyTo)
      implements PluginRequest {}

  record ConfigurePlugin(
      PluginId id,
      @Nullable String config,
      @Nullable Long expectedRevision,
      String principal,
      ActorRef<Answer> replyTo)
      implements PluginRequest {}

  /**
   * @param purge whether its entities and numbers are forgotten as well
   */
  record DeletePlugin(PluginId id, boolean purge, String principal, ActorRef<Answer> replyTo)
      implements PluginRequest {}

  record CheckHealth(PluginId id, ActorRef<Answer> replyTo) implements PluginRequest {}

  record ReadMetrics(PluginId id, ActorRef<Answer> replyTo) implements PluginRequest {}

  record Invoke(TriggerId trigger, Payload payload, String principal, ActorRef<Answer> replyTo)
      implements PluginRequest {}
}
