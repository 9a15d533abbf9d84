package dev.viesti.ops.cli;

import dev.viesti.ops.cli.client.ApiClient;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which server a client command speaks to, and with which key. */
final class ServerOptions {
  private static final String DEFAULT_URL = "http://127.0.0.1:8080";
  private static final Set<String> LOOPBACK = Set.of("127.0.0.1", "localhost", "[::1]");

  /** The key that {@code viesti dev} takes when nobody chose another. */
  private static final String DEV_KEY = "dev";

  @Option(
      names = "--url",
      paramLabel = "URL",
      description = "the server (default: ${DEFAULT-VALUE})",
      defaultValue = DEFAULT_URL)
  private String url = DEFAULT_URL;

  @Option(
      names = "--key-file",
      paramLabel = "FILE",
      description =
          "file that holds the API key; else VIESTI_KEY, else VIESTI_ADMIN_KEY, else 'dev' for a"
              + " server on this machine")
  private @Nullable Path keyFile;

  ApiClient connect(Terminal terminal) {
    URI address = address();
    return new ApiClient(address, key(address, terminal));
  }

  private URI address() {
    String text = url.contains("://") ? url : "http://" + url;
    try {
      URI address = URI.create(text);
      if (Set.of("http", "https").contains(String.valueOf(address.getScheme()))
          && address.getHost() != null
          && address.getRawQuery() == null) {
        return address;
      }
    } catch (IllegalArgumentException malformed) {
      // falls through to the one message
    }
    throw CommandFailure.usage(
        "'" + url + "' is no address of a server: --url looks like " + DEFAULT_URL);
  }

  private @Nullable String key(URI address, Terminal terminal) {
    if (keyFile != null) {
      return readKey(keyFile);
    }
    String key = terminal.env("VIESTI_KEY");
    String adminKey = key == null ? terminal.env("VIESTI_ADMIN_KEY") : key;
    if (adminKey != null) {
      return adminKey;
    }
    return LOOPBACK.contains(address.getHost()) ? DEV_KEY : null;
  }

  private static String readKey(Path file) {
    try {
      String key = Files.readString(file).strip();
      if (key.isEmpty() || key.contains("\n")) {
        throw CommandFailure.usage(file + " must hold the key alone, in one line");
      }
      return key;
    } catch (IOException failed) {
      throw CommandFailure.usage("cannot read the key from " + file + ": " + reason(failed));
    }
  }

  /** An I/O error's message is often only the file's name: say what it was, too. */
  static String reason(IOException failed) {
    return failed instanceof java.nio.file.NoSuchFileException
        ? "there is no such file"
        : failed instanceof java.nio.file.AccessDeniedException
            ? "permission denied"
            : String.valueOf(failed.getMessage());
  }
}
