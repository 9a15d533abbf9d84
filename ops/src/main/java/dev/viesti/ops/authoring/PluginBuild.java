package dev.viesti.ops.authoring;

import dev.viesti.dispatcher.plugin.LocalPlugin;
import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.Permission;
import dev.viesti.protocol.plugin.Permission.Action;
import dev.viesti.protocol.plugin.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

/**
 * A module that was built and checked as a server would check it.
 *
 * @param file where it is
 * @param imports what it wants of the host, as in {@code kv.get}
 * @param warnings permissions that it does not need, and functions that it has no permission for
 */
public record PluginBuild(
    Path file,
    Manifest manifest,
    int bytes,
    String sha256,
    List<String> imports,
    List<String> warnings) {

  /** Which functions of the host want which permission; those of {@code context} all want one. */
  private static final Map<Action, List<String>> NEEDED_BY =
      Map.of(
          Action.KV_READ, List.of("kv.get", "kv.list"),
          Action.KV_WRITE, List.of("kv.put", "kv.delete"),
          Action.ENTITY_READ, List.of("entities.query"),
          Action.ENTITY_WRITE, List.of("entities.insert", "entities.update", "entities.delete"),
          Action.NUMBERING_NEXT, List.of("numbering.next"),
          Action.CONFIG_READ, List.of("config.get"),
          Action.EVENT_PUBLISH, List.of("events.publish"),
          Action.LOG_WRITE, List.of("log.write"),
          Action.CONTEXT_READ,
              List.of(
                  "context.app",
                  "context.principal",
                  "context.permissions",
                  "context.delivery-id",
                  "context.attempt",
                  "context.now"));

  /**
   * Builds a project.
   *
   * @param install whether compilers may be fetched that the project names
   * @throws AuthoringException with what the compiler said, or what a server would refuse
   */
  public static PluginBuild of(Project project, Toolchain toolchain, boolean install)
      throws AuthoringException, IOException, InterruptedException {
    return of(project, toolchain.compile(project, install));
  }

  /**
   * Takes a module that was compiled elsewhere.
   *
   * @throws AuthoringException with what a server would refuse
   */
  public static PluginBuild of(Project project, byte[] bare)
      throws AuthoringException, IOException {
    PluginFile built = PluginFile.of(bare, project.manifest());
    Manifest manifest = project.manifest().manifest();
    List<String> imports;
    try (LocalPlugin plugin =
        LocalPlugin.load(manifest, built.module().bytes(), null, UUID::randomUUID)) {
      imports = plugin.imports();
    } catch (InvalidModuleException wrong) {
      throw new AuthoringException("the module would be refused: it " + wrong.getMessage());
    }
    Path file = project.module();
    Files.createDirectories(Objects.requireNonNull(file.getParent()));
    Files.write(file, built.module().bytes());
    Files.writeString(project.sourcesFile(), project.sources());
    return new PluginBuild(
        file,
        manifest,
        built.module().size(),
        Sha256.hex(built.module().bytes()),
        imports,
        warnings(manifest, imports));
  }

  private static List<String> warnings(Manifest manifest, List<String> imports) {
    List<String> warnings = new ArrayList<>();
    for (Permission permission : manifest.permissions()) {
      List<String> functions = Objects.requireNonNull(NEEDED_BY.get(permission.action()));
      if (functions.stream().noneMatch(imports::contains)) {
        warnings.add(
            "permission %s is not needed: the module does not import %s"
                .formatted(permission, String.join(" or ", functions)));
      }
    }
    for (Action action : Action.values()) {
      boolean granted = manifest.permissions().stream().anyMatch(one -> one.action() == action);
      for (String function : Objects.requireNonNull(NEEDED_BY.get(action))) {
        if (!granted && imports.contains(function)) {
          warnings.add(
              "%s is imported, but the manifest has no permission %s"
                  .formatted(function, action.text()));
        }
      }
    }
    return warnings;
  }
}
