package dev.viesti.dispatcher.plugin;

import com.typesafe.config.Config;

/**
 * Limits of a node's sandbox, from {@code viesti.sandbox}; see reference.conf.
 *
 * @param threads that run foreign code, computing or waiting for the store
 * @param processors how many of them compute at a time
 * @param appThreads how many of them one app may have
 * @param stackBytes of each
 * @param memoryPages of 64 KiB that all calls together may have, by what each of them may grow to
 * @param modules compiled modules that are kept
 * @param depth how many events in a row may each be published because of the one before
 * @param repeats how often a call is made again because what it read was changed meanwhile
 * @param traps in a row after which a plugin is left alone
 */
public record SandboxSettings(
    int threads,
    int processors,
    int appThreads,
    long stackBytes,
    int memoryPages,
    int modules,
    int depth,
    int repeats,
    int traps) {
  /** A quarter: rows, compiled modules and everything else need theirs. */
  private static final int HEAP_SHARE = 4;

  private static final int PAGE_BYTES = 64 << 10;

  /** A share for others, however many threads there are. */
  private static final double APP_SHARE = 0.75;

  /**
   * @throws IllegalArgumentException naming the key that is out of its bounds
   */
  public SandboxSettings {
    require(threads >= 2 && threads <= 1_000, "threads is 2 to 1,000");
    require(processors >= 1 && processors <= threads, "processors is 1 to threads");
    require(appThreads >= 1 && appThreads < threads, "an app has fewer than all threads");
    require(stackBytes >= 256 << 10 && stackBytes <= 16 << 20, "stack is 256 KiB to 16 MiB");
    require(memoryPages >= 64, "memory is 4 MiB or more");
    require(modules >= 1 && modules <= 10_000, "modules is 1 to 10,000");
    require(depth >= 1 && depth <= 1_000, "depth is 1 to 1,000");
    require(repeats >= 1 && repeats <= 100, "repeats is 1 to 100");
    require(traps >= 1 && traps <= 1_000, "traps is 1 to 1,000");
  }

  /** What one app may have of it. */
  int appMemoryPages() {
    return (int) (memoryPages * APP_SHARE);
  }

  /**
   * @param cores of this machine, and {@code heapBytes} of this JVM: numbers that are 0 in the file
   *     are made from them
   */
  public static SandboxSettings from(Config config, int cores, long heapBytes) {
    Config own = config.getConfig("viesti.sandbox");
    int threads = own.getInt("threads");
    int processors = own.getInt("processors");
    long memory = own.getBytes("memory");
    int some = threads == 0 ? Math.max(8, 4 * cores) : threads;
    return new SandboxSettings(
        some,
        processors == 0 ? Math.min(some, Math.max(1, cores)) : processors,
        Math.max(1, (int) (some * APP_SHARE)),
        own.getBytes("stack"),
        memory == 0 ? pages(heapBytes / HEAP_SHARE) : pages(memory),
        own.getInt("modules"),
        own.getInt("depth"),
        own.getInt("repeats"),
        own.getInt("traps"));
  }

  private static int pages(long bytes) {
    return Math.clamp(bytes / PAGE_BYTES, 64, Integer.MAX_VALUE);
  }

  private static void require(boolean holds, String rule) {
    if (!holds) {
      throw new IllegalArgumentException("viesti.sandbox." + rule);
    }
  }
}
