package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.ops.authoring.Language;
import dev.viesti.ops.authoring.ProjectTemplate;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.protocol.plugin.PluginId;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "new",
    description = {
      "Write a project for a plugin, which builds and passes its test as it is.",
      "Nothing that is already there is overwritten."
    })
final class PluginNewCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private final Output output = new Output();

  @Option(
      names = "--language",
      paramLabel = "LANGUAGE",
      defaultValue = "c",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
  private Language language = Language.C;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "where to (default: a folder with the plugin's id)")
  private @Nullable Path dir;

  @Parameters(
      paramLabel = "PLUGIN",
      description = "the plugin's id: a-z, 0-9 and -, beginning with a letter")
  private String id = "";

  PluginNewCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    PluginId plugin;
    try {
      plugin = new PluginId(id);
    } catch (IllegalArgumentException wrong) {
      throw CommandFailure.usage(String.valueOf(wrong.getMessage()));
    }
    Path folder = dir == null ? Path.of(id) : dir;
    return PluginAuthoring.run(
        () -> {
          show(folder, ProjectTemplate.write(plugin, language, folder));
          return ExitCodes.OK;
        });
  }

  private void show(Path folder, List<Path> files) {
    if (output.isJson()) {
      ObjectNode whole = ClientJson.MAPPER.createObjectNode().put("folder", folder.toString());
      files.forEach(file -> whole.withArray("files").add(file.toString()));
      Output.printJson(terminal, whole);
      return;
    }
    files.forEach(file -> terminal.out().println("wrote " + folder.resolve(file)));
    String where = folder.toString();
    boolean npm = language == Language.ASSEMBLYSCRIPT;
    terminal.out().println();
    terminal.out().println("viesti plugin build " + where + (npm ? " --install" : ""));
    terminal.out().println("viesti plugin test " + where);
    terminal.out().println("viesti plugin push -a APP " + folder.resolve("build/" + id + ".wasm"));
  }
}
