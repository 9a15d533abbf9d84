package dev.viesti.dispatcher;

import dev.viesti.dispatcher.PluginUpload.ManifestText;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.PluginId;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The plugin of {@code src/test/guests/guest.c}: what it does is the type of the event. */
public final class TestGuest {
  private TestGuest() {}

  /** A module that {@code build.sh} has made: {@code guest-1}, {@code guest-2} … */
  public static byte[] module(String name) {
    try (InputStream in = TestGuest.class.getResourceAsStream("plugin/" + name + ".wasm")) {
      return Objects.requireNonNull(in, name).readAllBytes();
    } catch (IOException impossible) {
      throw new AssertionError(impossible);
    }
  }

  /**
   * @param type of the events that it subscribes to
   */
  static PluginUpload upload(PluginId id, String module, String type) {
    return upload(id, module, type, "", null);
  }

  /**
   * @param more members of the manifest, each followed by a comma
   */
  static PluginUpload upload(
      PluginId id, String module, String type, String more, @Nullable String config) {
    String manifest =
        """
        {"id": "%s", "name": "Test", "version": "%s", %s
         "permissions": ["kv:read:*", "kv:write:*", "entity:read:*", "entity:write:*",
           "numbering:next:*", "config:read", "event:publish:*", "log:write", "context:read"],
         "numbering": [{"name": "order", "prefix": "ORD-", "digits": 4, "reset": "never"}],
         "subscribe": [{"type": "%s"}]}"""
            .formatted(id, module, more, type);
    return new PluginUpload(
        Payload.of(module(module)), ManifestText.guess(Payload.ofJson(manifest)), config);
  }
}
