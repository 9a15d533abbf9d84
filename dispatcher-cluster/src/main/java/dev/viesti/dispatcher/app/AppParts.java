package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.outbox.Owners;
import dev.viesti.persistence.app.AppDirectory;
import dev.viesti.persistence.deadletter.DeadLetterRepository;
import java.security.SecureRandom;

/**
 * What all apps of a node share.
 *
 * @param triggersMax triggers that one app may have
 * @param secrets for webhook secrets
 */
public record AppParts(
    Owners owners,
    AppDirectory directory,
    DeadLetterRepository deadLetters,
    int triggersMax,
    SecureRandom secrets) {}
