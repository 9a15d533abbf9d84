package dev.viesti.dispatcher.app;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * What apps may have and do with plugins, from {@code viesti.plugin}; see reference.conf.
 *
 * @param pluginsMax that one app may have
 * @param quarantineBase how long the first quarantine lasts; the next one in a row twice as long
 * @param quarantineMax the longest one
 * @param invocationsMax calls with a reply that one app may have under way
 */
public record PluginSettings(
    int pluginsMax, Duration quarantineBase, Duration quarantineMax, int invocationsMax) {
  /**
   * @throws IllegalArgumentException naming the key that is out of its bounds
   */
  public PluginSettings {
    require(pluginsMax >= 1 && pluginsMax <= 1_000, "plugins-max is 1 to 1,000");
    require(quarantineBase.compareTo(Duration.ofSeconds(1)) >= 0, "quarantine-base is 1 s or more");
    require(
        quarantineMax.compareTo(quarantineBase) >= 0
            && quarantineMax.compareTo(Duration.ofHours(24)) <= 0,
        "quarantine-max is quarantine-base to 24 h");
    require(invocationsMax >= 1 && invocationsMax <= 10_000, "invocations-max is 1 to 10,000");
  }

  /** From the whole configuration. */
  public static PluginSettings from(Config config) {
    Config own = config.getConfig("viesti.plugin");
    return new PluginSettings(
        own.getInt("plugins-max"),
        own.getDuration("quarantine-base"),
        own.getDuration("quarantine-max"),
        own.getInt("invocations-max"));
  }

  private static void require(boolean holds, String rule) {
    if (!holds) {
      throw new IllegalArgumentException("viesti.plugin." + rule);
    }
  }
}
