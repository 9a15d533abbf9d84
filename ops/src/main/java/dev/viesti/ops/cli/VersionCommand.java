package dev.viesti.ops.cli;

import dev.viesti.ops.cli.client.ClientJson;
import java.io.IOException;
import java.util.Properties;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Mixin;

@Command(name = "version", description = "Print the versions of Viesti and of Java.")
final class VersionCommand implements Callable<Integer>, IVersionProvider {
  /** Written by Maven into the jar. */
  private static final String POM_PROPERTIES =
      "/META-INF/maven/dev.viesti/viesti-ops/pom.properties";

  private final Terminal terminal;

  @Mixin private final Output output = new Output();

  VersionCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    if (output.isJson()) {
      Output.printJson(
          terminal,
          ClientJson.MAPPER
              .createObjectNode()
              .put("viesti", version())
              .put("java", Runtime.version().toString()));
      return ExitCodes.OK;
    }
    for (String line : getVersion()) {
      terminal.out().println(line);
    }
    return ExitCodes.OK;
  }

  @Override
  public String[] getVersion() {
    return new String[] {
      "viesti " + version(),
      "java " + Runtime.version() + " (" + System.getProperty("java.home") + ")"
    };
  }

  static String version() {
    try (var resource = VersionCommand.class.getResourceAsStream(POM_PROPERTIES)) {
      if (resource != null) {
        var properties = new Properties();
        properties.load(resource);
        return properties.getProperty("version", "unknown");
      }
    } catch (IOException unreadable) {
      // falls through: a version is never worth a failure
    }
    return "development";
  }
}
