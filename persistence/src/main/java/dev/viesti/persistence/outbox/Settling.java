package dev.viesti.persistence.outbox;

import dev.viesti.protocol.app.AppId;
import java.util.List;

/**
 * Changes of one app's rows, to be made durable by its owner.
 *
 * @param epoch the owner's
 */
public record Settling(AppId app, long epoch, List<? extends RowChange> changes) {}
