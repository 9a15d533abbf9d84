package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.plugin.Plugins;
import dev.viesti.persistence.effects.ForgetRepository;

/**
 * What all apps of a node need for their plugins.
 *
 * @param runtime what runs them
 * @param kept what they have kept in the database
 */
public record PluginParts(Plugins runtime, PluginSettings settings, ForgetRepository kept) {}
