package dev.viesti.dispatcher;

/**
 * What became of one published event.
 *
 * @param id its CloudEvents id
 * @param deliveries triggers that it matched and that will run; 0 for a duplicate
 * @param duplicate the same {@code (source, id)} was accepted before, within the retention
 */
public record Receipt(String id, int deliveries, boolean duplicate) {}
