package dev.viesti.protocol.trigger;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a trigger runs. In JSON exactly one member names the kind: {@code {"webhook": {…}}}. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, include = JsonTypeInfo.As.WRAPPER_OBJECT)
@JsonSubTypes({
  @JsonSubTypes.Type(value = Target.Webhook.class, name = "webhook"),
  @JsonSubTypes.Type(value = Target.Plugin.class, name = "plugin"),
  @JsonSubTypes.Type(value = Target.Script.class, name = "script"),
  @JsonSubTypes.Type(value = Target.Handler.class, name = "handler"),
  @JsonSubTypes.Type(value = Target.Log.class, name = "log")
})
public sealed interface Target {
  /**
   * The word in JSON, metrics and logs: {@code webhook}, {@code plugin}, {@code script}, {@code
   * handler}, {@code log}.
   */
  String kind();

  /**
   * An HTTP endpoint that gets the event as a POST, signed by <a
   * href="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md">Standard
   * Webhooks 1.0</a>.
   *
   * @param url absolute {@code http} or {@code https}, at most 2,048 characters, without user info
   *     and fragment
   * @param secret {@code whsec_} and base64 of 24 to 64 bytes; null only until the app has made one
   */
  record Webhook(
      @JsonProperty(value = "url", required = true) URI url,
      @JsonProperty("secret") @Nullable String secret)
      implements Target {
    /** Prefix of a symmetric secret in Standard Webhooks. */
    public static final String SECRET_PREFIX = "whsec_";

    private static final int URL_MAX = 2_048;

    /**
     * @throws IllegalArgumentException naming the field that is wrong
     */
    public Webhook {
      // Jackson hands over null for a missing member whatever the annotations say
      checkUrl(url);
      if (secret != null) {
        checkSecret(secret);
      }
    }

    @Override
    public String kind() {
      return "webhook";
    }

    /** Without the secret, and without the query, which may be one: triggers are logged. */
    @Override
    public String toString() {
      return "Webhook[url="
          + url.getScheme()
          + "://"
          + url.getRawAuthority()
          + url.getRawPath()
          + "]";
    }

    private static void checkUrl(@Nullable URI url) {
      if (url == null) {
        throw new IllegalArgumentException("url is missing");
      }
      String scheme = url.getScheme();
      if (!("http".equalsIgnoreCase(scheme) || "https".equalsIgnoreCase(scheme))) {
        throw new IllegalArgumentException("url must start with http:// or https://");
      }
      if (url.getHost() == null) {
        throw new IllegalArgumentException("url has no host");
      }
      if (url.getRawUserInfo() != null || url.getRawFragment() != null) {
        throw new IllegalArgumentException("url must not have user info or a fragment");
      }
      if (url.toString().length() > URL_MAX) {
        throw new IllegalArgumentException("url has at most " + URL_MAX + " characters");
      }
    }

    private static void checkSecret(String secret) {
      try {
        int bytes =
            secret.startsWith(SECRET_PREFIX)
                ? Base64.getDecoder().decode(secret.substring(SECRET_PREFIX.length())).length
                : 0;
        if (bytes >= 24 && bytes <= 64) {
          return;
        }
      } catch (IllegalArgumentException notBase64) {
        // falls through to the one message
      }
      throw new IllegalArgumentException(
          "secret is '" + SECRET_PREFIX + "' followed by base64 of 24 to 64 bytes");
    }
  }

  /**
   * A Java function that the embedding service registered under this name.
   *
   * @param name 1 to 128 characters of {@code [A-Za-z0-9._-]}
   */
  record Handler(@JsonProperty(value = "name", required = true) String name) implements Target {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,128}");

    /**
     * @throws IllegalArgumentException if {@code name} has another shape
     */
    public Handler {
      if (name == null || !NAME.matcher(name).matches()) {
        throw new IllegalArgumentException(
            "name is 1 to 128 characters of A-Z, a-z, 0-9, '.', '_' and '-'");
      }
    }

    @Override
    public String kind() {
      return "handler";
    }
  }

  /**
   * A function of a plugin that the app has installed.
   *
   * @param name of the plugin: 1 to 56 characters of {@code [a-z0-9-]}, the first a letter
   * @param function that it exports, 1 to 64 characters of {@code [a-z0-9-]}, the first a letter
   */
  record Plugin(
      @JsonProperty(value = "name", required = true) String name,
      @JsonProperty("function") String function)
      implements Target {
    /** What is run when a trigger names no function: the one that every plugin has for events. */
    public static final String HANDLE_EVENT = "handle-event";

    /** As of a plugin's id, whose type this package cannot know. */
    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9-]{0,55}");

    private static final Pattern FUNCTION = Pattern.compile("[a-z][a-z0-9-]{0,63}");

    /**
     * @param function null means {@link #HANDLE_EVENT}
     * @throws IllegalArgumentException naming the field that has another shape
     */
    public Plugin(String name, @Nullable String function) {
      if (name == null || !NAME.matcher(name).matches()) {
        throw new IllegalArgumentException(
            "name is 1 to 56 characters of a-z, 0-9 and -, beginning with a letter");
      }
      if (function != null && !FUNCTION.matcher(function).matches()) {
        throw new IllegalArgumentException(
            "function is 1 to 64 characters of a-z, 0-9 and -, beginning with a letter");
      }
      this.name = name;
      this.function = function == null ? HANDLE_EVENT : function;
    }

    @Override
    public String kind() {
      return "plugin";
    }
  }

  /**
   * JavaScript that the trigger brings along. Whether it can be parsed, and whether its permissions
   * and its fuel are any, is seen when the trigger is registered: this package cannot know.
   *
   * @param source 1 character to 256 KiB of UTF-8
   * @param function of it that is called, 1 to 64 letters, digits, {@code _} and {@code $}, the
   *     first no digit
   * @param permissions as in a plugin's manifest, at most 100
   * @param fuel units that one call may use; null means what scripts have by default
   */
  record Script(
      @JsonProperty(value = "source", required = true) String source,
      @JsonProperty("function") String function,
      @JsonProperty("permissions") List<String> permissions,
      @JsonProperty("fuel") @Nullable Long fuel)
      implements Target {
    /** What is run when a trigger names no function: the one for events. */
    public static final String HANDLE_EVENT = "handleEvent";

    /** All of it is parsed for each call, and shown with the trigger. */
    public static final int SOURCE_BYTES_MAX = 256 << 10;

    /** More than a person can check. */
    private static final int PERMISSIONS_MAX = 100;

    private static final Pattern FUNCTION = Pattern.compile("[A-Za-z_$][A-Za-z0-9_$]{0,63}");

    /**
     * @param function null means {@link #HANDLE_EVENT}
     * @param permissions null means none
     * @throws IllegalArgumentException naming the field that has another shape
     */
    public Script(
        String source,
        @Nullable String function,
        @Nullable List<String> permissions,
        @Nullable Long fuel) {
      if (source == null || source.isEmpty()) {
        throw new IllegalArgumentException("source is missing: give JavaScript");
      }
      if (bytes(source) > SOURCE_BYTES_MAX) {
        throw new IllegalArgumentException("source has at most 256 KiB of UTF-8");
      }
      if (function != null && !FUNCTION.matcher(function).matches()) {
        throw new IllegalArgumentException(
            "function is 1 to 64 characters of A-Z, a-z, 0-9, _ and $, the first no digit");
      }
      if (permissions != null
          && (permissions.size() > PERMISSIONS_MAX
              || permissions.stream().anyMatch(Objects::isNull))) {
        throw new IllegalArgumentException("permissions are at most " + PERMISSIONS_MAX + " texts");
      }
      this.source = source;
      this.function = function == null ? HANDLE_EVENT : function;
      this.permissions = permissions == null ? List.of() : List.copyOf(permissions);
      this.fuel = fuel;
    }

    private static int bytes(String source) {
      return source.length() > SOURCE_BYTES_MAX
          ? source.length()
          : source.getBytes(StandardCharsets.UTF_8).length;
    }

    @Override
    public String kind() {
      return "script";
    }

    /** Without the source: triggers are logged. */
    @Override
    public String toString() {
      return "Script[function=%s, characters=%d]".formatted(function, source.length());
    }
  }

  /** Writes a line to the node's log: for trying things out. */
  @JsonIgnoreProperties
  record Log() implements Target {
    @Override
    public String kind() {
      return "log";
    }
  }
}
