package dev.viesti.dispatcher.wasm;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * What a module may be, from {@code viesti.wasm}; reference.conf says what each is for. The bounds
 * are what the engine was tested with: everything beyond them is refused before anything is
 * compiled.
 *
 * @param moduleBytesMax size of the binary
 * @param memoryPagesMax pages of 64 KiB with which a memory may begin
 */
public record WasmSettings(
    int moduleBytesMax,
    int memoryPagesMax,
    Code code,
    Counts counts,
    Tables tables,
    Loading loading) {
  /**
   * Limits of code. What they bound is the work of compiling, which cannot be interrupted.
   *
   * @param functionsMax functions with a body
   * @param functionBytesMax of one body
   * @param instructionsMax in all bodies together
   * @param localsMax parameters and locals of one function
   * @param nestingMax blocks within one another
   */
  public record Code(
      int functionsMax, int functionBytesMax, int instructionsMax, int localsMax, int nestingMax) {
    public Code {
      require(functionsMax >= 1 && functionsMax <= 50_000, "code.functions-max is 1 to 50,000");
      require(
          functionBytesMax >= 1_024 && functionBytesMax <= 4 << 20,
          "code.function-bytes-max is 1 KiB to 4 MiB");
      require(
          instructionsMax >= 1_000 && instructionsMax <= 5_000_000,
          "code.instructions-max is 1,000 to 5,000,000");
      require(localsMax >= 1 && localsMax <= 10_000, "code.locals-max is 1 to 10,000");
      require(nestingMax >= 1 && nestingMax <= 10_000, "code.nesting-max is 1 to 10,000");
    }
  }

  /** How many of each there may be. */
  public record Counts(
      int typesMax,
      int importsMax,
      int exportsMax,
      int globalsMax,
      int dataSegmentsMax,
      int elementSegmentsMax) {
    public Counts {
      require(typesMax >= 1 && typesMax <= 10_000, "counts.types-max is 1 to 10,000");
      require(importsMax >= 0 && importsMax <= 1_000, "counts.imports-max is 0 to 1,000");
      require(exportsMax >= 1 && exportsMax <= 10_000, "counts.exports-max is 1 to 10,000");
      require(globalsMax >= 0 && globalsMax <= 10_000, "counts.globals-max is 0 to 10,000");
      require(
          dataSegmentsMax >= 0 && dataSegmentsMax <= 100_000,
          "counts.data-segments-max is 0 to 100,000");
      require(
          elementSegmentsMax >= 0 && elementSegmentsMax <= 10_000,
          "counts.element-segments-max is 0 to 10,000");
    }
  }

  /**
   * Limits of tables.
   *
   * @param tablesMax tables of a module
   * @param entriesMax what all its tables may begin with together, what each of them may grow to,
   *     and what its element segments may hold together
   */
  public record Tables(int tablesMax, int entriesMax) {
    public Tables {
      require(tablesMax >= 0 && tablesMax <= 16, "tables.tables-max is 0 to 16");
      require(entriesMax >= 0 && entriesMax <= 1_000_000, "tables.entries-max is 0 to 1,000,000");
    }
  }

  /**
   * How modules are compiled.
   *
   * @param workers threads that do nothing else; so many modules at once, at most
   * @param waitingMax modules that wait for one of them; further ones are refused
   * @param timeout for which a caller waits, from when it asked
   */
  public record Loading(int workers, int waitingMax, Duration timeout) {
    public Loading {
      require(workers >= 1 && workers <= 64, "loading.workers is 1 to 64");
      require(waitingMax >= 0 && waitingMax <= 10_000, "loading.waiting-max is 0 to 10,000");
      require(
          timeout.compareTo(Duration.ofMillis(100)) >= 0
              && timeout.compareTo(Duration.ofMinutes(5)) <= 0,
          "loading.timeout is 100 ms to 5 min");
    }
  }

  /**
   * @throws IllegalArgumentException naming the key that is out of its bounds
   */
  public WasmSettings {
    require(
        moduleBytesMax >= 1_024 && moduleBytesMax <= 64 << 20,
        "module-bytes-max is 1 KiB to 64 MiB");
    require(memoryPagesMax >= 0 && memoryPagesMax <= 32_767, "memory-pages-max is 0 to 32,767");
  }

  /** Reads {@code viesti.wasm}. */
  public static WasmSettings from(Config config) {
    Config own = config.getConfig("viesti.wasm");
    return new WasmSettings(
        Math.toIntExact(own.getBytes("module-bytes-max")),
        own.getInt("memory-pages-max"),
        new Code(
            own.getInt("code.functions-max"),
            Math.toIntExact(own.getBytes("code.function-bytes-max")),
            own.getInt("code.instructions-max"),
            own.getInt("code.locals-max"),
            own.getInt("code.nesting-max")),
        new Counts(
            own.getInt("counts.types-max"),
            own.getInt("counts.imports-max"),
            own.getInt("counts.exports-max"),
            own.getInt("counts.globals-max"),
            own.getInt("counts.data-segments-max"),
            own.getInt("counts.element-segments-max")),
        new Tables(own.getInt("tables.tables-max"), own.getInt("tables.entries-max")),
        new Loading(
            own.getInt("loading.workers"),
            own.getInt("loading.waiting-max"),
            own.getDuration("loading.timeout")));
  }

  private static void require(boolean holds, String rule) {
    if (!holds) {
      throw new IllegalArgumentException("viesti.wasm." + rule);
    }
  }
}
