package dev.viesti.dispatcher.wire;

/** Marks a message that may travel between nodes; bound to {@code jackson-cbor}. */
public interface Wire {}
