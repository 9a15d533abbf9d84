/**
 * What a node does as a member of the cluster: looks for rows that nobody owns, and carries
 * outcomes to whoever looks. Ownership itself is sharding's and the epoch's.
 */
@NullMarked
package dev.viesti.dispatcher.cluster;

import org.jspecify.annotations.NullMarked;
