package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.ops.authoring.PluginBuild;
import dev.viesti.ops.authoring.Project;
import dev.viesti.ops.authoring.Toolchain;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.protocol.plugin.Permission;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "build",
    description = {
      "Compile a project, check it as a server would, and put the manifest into the module.",
      "C is compiled by clang: the one that CLANG names, else the newest that is found. What is",
      "in the folder 'build' afterwards is all that 'viesti plugin push' needs."
    })
final class PluginBuildCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private final Output output = new Output();

  @Parameters(
      paramLabel = "DIR",
      arity = "0..1",
      defaultValue = ".",
      description = "the project's folder (default: this folder)")
  private Path dir = Path.of(".");

  @Option(
      names = "--install",
      description = "run npm install when the compiler of AssemblyScript is not there")
  private boolean install;

  @Option(
      names = "--module",
      paramLabel = "FILE",
      description = "take this module, which was compiled from another language")
  private @Nullable Path module;

  PluginBuildCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    Logs.onlyWarnings();
    return PluginAuthoring.run(
        () -> {
          Project project = Project.open(dir);
          show(
              module == null
                  ? PluginBuild.of(project, new Toolchain(terminal.env()), install)
                  : PluginBuild.of(project, Files.readAllBytes(module)));
          return ExitCodes.OK;
        });
  }

  private void show(PluginBuild build) {
    if (output.isJson()) {
      ObjectNode whole = ClientJson.MAPPER.createObjectNode();
      whole.put("file", build.file().toString());
      whole.put("id", build.manifest().id().value());
      whole.put("version", build.manifest().version());
      whole.put("bytes", build.bytes());
      whole.put("sha256", build.sha256());
      build.imports().forEach(whole.withArray("imports")::add);
      build.warnings().forEach(whole.withArray("warnings")::add);
      Output.printJson(terminal, whole);
      return;
    }
    terminal
        .out()
        .printf(
            "built %s%n%s %s, %,d bytes, sha256 %s%nimports      %s%npermissions  %s%n",
            build.file(),
            build.manifest().id(),
            build.manifest().version(),
            build.bytes(),
            build.sha256(),
            build.imports().isEmpty() ? "nothing" : String.join(", ", build.imports()),
            build.manifest().permissions().isEmpty()
                ? "none"
                : build.manifest().permissions().stream()
                    .map(Permission::toString)
                    .collect(Collectors.joining(", ")));
    build.warnings().forEach(warning -> terminal.out().println("warning: " + warning));
  }
}
