package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.plugin.Plugins;
import dev.viesti.dispatcher.plugin.Scripts;
import dev.viesti.persistence.effects.ForgetRepository;
import dev.viesti.persistence.plugin.ModuleUseRepository;

/**
 * What all apps of a node need for their plugins and scripts.
 *
 * @param runtime what runs them
 * @param scripts what runs the scripts of triggers
 * @param kept what they have kept in the database
 * @param uses which modules they need
 */
public record PluginParts(
    Plugins runtime,
    Scripts scripts,
    PluginSettings settings,
    ForgetRepository kept,
    ModuleUseRepository uses) {}
