package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.outbox.Owners;
import dev.viesti.persistence.app.AppDirectory;
import java.security.SecureRandom;

/**
 * What all apps of a node share.
 *
 * @param locals where owners on this node are found without their shard
 * @param triggersMax triggers that one app may have
 * @param secrets for webhook secrets
 */
public record AppParts(
    Owners owners,
    AppDirectory directory,
    LocalApps locals,
    int triggersMax,
    SecureRandom secrets,
    PluginParts plugins) {}
