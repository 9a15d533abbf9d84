package dev.viesti.dispatcher;

import dev.viesti.dispatcher.plugin.Plugins;
import dev.viesti.dispatcher.target.PluginRunner;

/**
 * A node's plugins.
 *
 * @param runtime for the control plane
 * @param runner for deliveries
 */
record NodePlugins(Plugins runtime, PluginRunner runner) {}
