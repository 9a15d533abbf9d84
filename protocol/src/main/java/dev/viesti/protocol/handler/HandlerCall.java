package dev.viesti.protocol.handler;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.trigger.TriggerId;

/**
 * One attempt of one delivery.
 *
 * @param attempt 1-based
 * @param epoch the owner's fencing number: a receiver that has seen a larger one for this app may
 *     refuse the call as coming from a former owner
 */
public record HandlerCall(
    AppId app, TriggerId trigger, DeliveryId delivery, int attempt, long epoch, Event event) {}
