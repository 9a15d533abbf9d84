package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.plugin.manifest.ConfigSchema;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Compares configurations with what their manifest says of them. */
public final class ConfigCheck {
  private ConfigCheck() {}

  /**
   * @param schema of the manifest; null: anything fits
   * @param config null is compared as an empty object
   * @param pointer of the configuration in what was sent
   * @return all that is wrong; null when it fits
   */
  public static Refusal.@Nullable Malformed misfit(
      @Nullable String schema, @Nullable String config, String pointer) {
    byte[] json = (config == null ? "{}" : config).getBytes(StandardCharsets.UTF_8);
    List<Refusal.Fault> faults =
        ConfigSchema.of(schema).faults(json).stream()
            .map(fault -> new Refusal.Fault(pointer + fault.path(), fault.message()))
            .toList();
    return faults.isEmpty()
        ? null
        : new Refusal.Malformed("the configuration does not fit the plugin's schema", faults);
  }
}
