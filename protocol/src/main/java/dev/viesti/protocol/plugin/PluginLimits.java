package dev.viesti.protocol.plugin;

import java.time.Duration;

/**
 * What one call of a plugin may use. A manifest may ask for other values within the bounds.
 *
 * @param fuel units as in wasmtime, about one an instruction, 10,000 to 1,000,000,000: ten million
 *     are about 10 ms of compiled code
 * @param timeout wall clock, 10 ms to 5 minutes; a trigger's own timeout holds as well
 * @param memoryPages of 64 KiB, 1 to 1,024
 */
public record PluginLimits(long fuel, Duration timeout, int memoryPages) {
  public static final long FUEL_DEFAULT = 10_000_000;
  public static final Duration TIMEOUT_DEFAULT = Duration.ofSeconds(30);

  /** 16 MiB: more than nearly all handlers need, little enough for hundreds at a time. */
  public static final int MEMORY_PAGES_DEFAULT = 256;

  private static final long FUEL_MIN = 10_000;
  private static final long FUEL_MAX = 1_000_000_000;
  private static final Duration TIMEOUT_MIN = Duration.ofMillis(10);
  private static final Duration TIMEOUT_MAX = Duration.ofMinutes(5);
  private static final int MEMORY_PAGES_MAX = 1_024;

  /** Stands below the bounds, because making it reads them. */
  public static final PluginLimits DEFAULT =
      new PluginLimits(FUEL_DEFAULT, TIMEOUT_DEFAULT, MEMORY_PAGES_DEFAULT);

  /**
   * @throws IllegalArgumentException naming the field that is out of its bounds
   */
  public PluginLimits {
    if (fuel < FUEL_MIN || fuel > FUEL_MAX) {
      throw new IllegalArgumentException(
          "fuel is %,d to %,d, not %,d".formatted(FUEL_MIN, FUEL_MAX, fuel));
    }
    if (timeout.compareTo(TIMEOUT_MIN) < 0 || timeout.compareTo(TIMEOUT_MAX) > 0) {
      throw new IllegalArgumentException("timeout is 10ms to 5m");
    }
    if (memoryPages < 1 || memoryPages > MEMORY_PAGES_MAX) {
      throw new IllegalArgumentException(
          "memoryPages is 1 to " + MEMORY_PAGES_MAX + ", not " + memoryPages);
    }
  }
}
