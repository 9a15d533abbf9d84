package dev.viesti.dispatcher.plugin;

import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;

/**
 * A plugin's place in its app, through all its versions.
 *
 * @param turns shared by calls that run beside each other; a call whose reads were overtaken has it
 *     for itself the second time, so that it comes through
 */
record PluginSlot(
    InstalledPlugin plugin,
    PluginStats stats,
    Consumer<Plugins.News> news,
    ReentrantReadWriteLock turns) {
  PluginSlot(InstalledPlugin plugin, PluginStats stats, Consumer<Plugins.News> news) {
    this(plugin, stats, news, new ReentrantReadWriteLock(true));
  }

  /** The same place with another version, or switched on or off. */
  PluginSlot with(InstalledPlugin changed, Consumer<Plugins.News> told) {
    return new PluginSlot(changed, stats, told, turns);
  }
}
