/**
 * The outbox table and its owners. {@link dev.viesti.persistence.outbox.OutboxRepository} is the
 * hot path, {@code OwnerRepository} says who may write, {@code DeliveryRepository} reads, {@code
 * ClientRowRepository} takes over what services wrote themselves, {@code HousekeepingRepository}
 * sweeps. Every statement that writes an owner's rows carries its epoch and locks the owner row in
 * share mode: a former owner's statement affects nothing and is reported as fenced. Called from the
 * node's writer and settler lanes and from virtual threads; blocks.
 */
@NullMarked
package dev.viesti.persistence.outbox;

import org.jspecify.annotations.NullMarked;
