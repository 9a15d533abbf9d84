/**
 * The outbox table and its owners. Every statement that writes carries the owner's epoch and locks
 * the owner row in share mode: a former owner's statement affects nothing and is reported as
 * fenced. Called from the node's writer and settler lanes and from virtual threads; blocks.
 */
@NullMarked
package dev.viesti.persistence.outbox;

import org.jspecify.annotations.NullMarked;
