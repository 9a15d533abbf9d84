package dev.viesti.dispatcher.script;

import com.typesafe.config.Config;
import dev.viesti.dispatcher.wasm.WasmSettings;
import dev.viesti.dispatcher.wasm.WasmSettings.Loading;

/** Settings of scripts, from {@code viesti.script}; reference.conf says what each is for. */
public final class ScriptSettings {
  private ScriptSettings() {}

  /**
   * Of an engine that loads nothing but QuickJS: its limits fit that one module, whatever plugins
   * may be, and it may take its time.
   *
   * @throws IllegalArgumentException when the time is out of its bounds
   */
  public static WasmSettings engine(Config config) {
    return new WasmSettings(
        4 << 20,
        256,
        new WasmSettings.Code(10_000, 512 << 10, 500_000, 1_000, 500),
        new WasmSettings.Counts(1_000, 100, 1_000, 1_000, 10_000, 1_000),
        new WasmSettings.Tables(4, 10_000),
        new Loading(1, 1, config.getDuration("viesti.script.loading-timeout")));
  }
}
