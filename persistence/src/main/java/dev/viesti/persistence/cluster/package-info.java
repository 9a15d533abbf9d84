/** What the nodes of a cluster settle among themselves through the database. */
@NullMarked
package dev.viesti.persistence.cluster;

import org.jspecify.annotations.NullMarked;
