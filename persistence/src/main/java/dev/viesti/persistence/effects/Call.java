package dev.viesti.persistence.effects;

/** The effects of one call, at its place among those that were handed over. */
record Call(At at, Effects effects) {
  /** A place, from 0; cheap to compare, which effects are not. */
  record At(int index) {}
}
