package dev.viesti.ops.cli;

import dev.viesti.ops.authoring.AuthoringException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import picocli.CommandLine;

/** The commands of {@code viesti plugin} that need no server. */
final class PluginAuthoring {
  /** What an author asked for. */
  interface Work {
    int run() throws AuthoringException, IOException, InterruptedException;
  }

  private PluginAuthoring() {}

  /**
   * @param group the command that they become sub-commands of
   */
  static CommandLine in(Object group, Terminal terminal) {
    return new CommandLine(group)
        .addSubcommand("new", new PluginNewCommand(terminal))
        .addSubcommand("build", new PluginBuildCommand(terminal))
        .addSubcommand("test", new PluginTestCommand(terminal));
  }

  /** Whatever ends it becomes a sentence. */
  static int run(Work work) {
    try {
      return work.run();
    } catch (AuthoringException wrong) {
      throw CommandFailure.refused(wrong.sentence());
    } catch (IOException failed) {
      String file =
          failed instanceof FileSystemException named && named.getFile() != null
              ? named.getFile()
              : "a file";
      throw CommandFailure.refused(
          "cannot read or write %s: %s".formatted(file, ServerOptions.reason(failed)));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw CommandFailure.refused("interrupted");
    }
  }
}
