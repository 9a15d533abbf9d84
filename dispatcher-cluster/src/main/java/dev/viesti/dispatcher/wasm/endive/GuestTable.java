package dev.viesti.dispatcher.wasm.endive;

import run.endive.runtime.Instance;
import run.endive.runtime.TableInstance;
import run.endive.wasm.types.Table;
import run.endive.wasm.types.TableLimits;

/**
 * A table of one instance, with limits of its own: the runtime's tables write down their growth in
 * the limits that they were declared with, which all instances of a module share.
 */
final class GuestTable extends TableInstance {
  private final int entriesMax;

  GuestTable(Table declared, int initialValue, int entriesMax) {
    super(
        new Table(
            declared.elementType(),
            new TableLimits(declared.limits().min(), declared.limits().max()),
            declared.initialize()),
        initialValue);
    this.entriesMax = (int) Math.min(entriesMax, declared.limits().max());
  }

  /** Refuses what the super class would take for less than nothing, and copies nothing for 0. */
  @Override
  public int grow(int more, int value, Instance instance) {
    if (more < 0 || more > entriesMax - size()) {
      return -1;
    }
    return more == 0 ? size() : super.grow(more, value, instance);
  }
}
