package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.KillStorm.APP;
import static dev.viesti.dispatcher.TestNode.get;

import dev.viesti.protocol.plugin.PluginId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A {@link KillStorm} over a node whose plugin counts and publishes. Each event reads the same
 * counter, adds one and writes it: one effect lost or doubled is a wrong sum.
 */
@Timeout(3_600)
final class PluginKillStormPostgresTest {
  private static final PluginId PLUGIN = new PluginId("orders");
  private static final int COUNTED = 10_000;

  /** Each of them publishes one more, which is counted. */
  private static final int PUBLISHED = 500;

  @Test
  void countsEachEventOnceHoweverOftenItsNodeIsKilled() throws Exception {
    KillStorm.countsEachOnce(
        PluginKillStormPostgresTest.class,
        viesti ->
            get(
                viesti.putPlugin(
                    APP, PLUGIN, TestGuest.upload(PLUGIN, "guest-1", "*"), null, "me")),
        COUNTED,
        PUBLISHED);
  }

  public static void main(String[] args) throws Exception {
    KillStorm.live(args, options -> options, viesti -> {});
  }
}
