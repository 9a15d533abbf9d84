package dev.viesti.dispatcher.app;

/** Marks what stands in the journal; bound to {@code jackson-json}, so that people can read it. */
interface Journaled {}
