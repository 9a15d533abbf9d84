package dev.viesti.ops.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.ops.authoring.Built;
import dev.viesti.ops.authoring.Language;
import dev.viesti.ops.cli.client.ClientJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class PluginAuthoringTest {
  @TempDir private Path scratch;
  private final CommandRun run = new CommandRun();

  private Path project(Language language) throws Exception {
    Path folder = scratch.resolve("project");
    assertThat(
            run.run(
                "plugin", "new", "template", "--language", language.word(), "--dir", "" + folder))
        .as(run.err())
        .isZero();
    return folder;
  }

  /** A program of that name which does what {@code script} says, first in the path. */
  private void program(String name, String script) throws IOException {
    Path bin = Files.createDirectories(scratch.resolve("bin"));
    Path file = Files.writeString(bin.resolve(name), "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    run.env.put("PATH", bin + ":/usr/bin:/bin");
  }

  /** Compiles to {@code module}, whatever it is given. */
  private void compiler(String name, byte[] module) throws IOException {
    Path file = Files.write(scratch.resolve("made.wasm"), module);
    program(
        name,
        """
        while [ $# -gt 0 ]; do
          case $1 in -o|--outFile) out=$2 ;; esac
          shift
        done
        cp %s "$out"
        """
            .formatted(file));
  }

  @Test
  void saysWhatComesAfterANewProject() throws Exception {
    Path folder = project(Language.C);
    assertThat(run.out())
        .contains("wrote " + folder.resolve("src/plugin.c"))
        .contains("viesti plugin build " + folder)
        .contains("viesti plugin test " + folder)
        .contains("viesti plugin push -a APP " + folder.resolve("build/template.wasm"));
    assertThat(folder.resolve(".gitignore")).exists();
  }

  @Test
  void refusesAnIdThatIsNone() {
    assertThat(run.run("plugin", "new", "Orders")).isEqualTo(ExitCodes.USAGE);
    assertThat(run.err()).contains("a plugin id is 1 to 56 characters");
  }

  @Test
  void saysWhichCompilerIsMissing() throws Exception {
    Path folder = project(Language.C);
    run.env.put("PATH", scratch.toString());
    assertThat(run.run("plugin", "build", "" + folder)).isEqualTo(ExitCodes.REFUSED);
    assertThat(run.err()).contains("apt install clang lld").contains("brew install llvm lld");
  }

  @Test
  @DisabledOnOs(value = OS.WINDOWS, disabledReason = "the compilers here are shell scripts")
  void putsTheManifestIntoWhatTheCompilerMade() throws Exception {
    Path folder = project(Language.C);
    compiler("clang-14", Built.bare(Language.C, scratch.resolve("other")));
    program("wasm-ld-14", "exit 1");
    assertThat(run.run("plugin", "build", "" + folder)).as(run.err()).isZero();
    assertThat(run.out())
        .contains("template 0.1.0, ")
        .contains("imports      kv.get, kv.put, log.write, events.publish")
        .doesNotContain("warning");
    assertThat(run.run("plugin", "test", "" + folder)).as(run.out()).isZero();
    assertThat(run.out()).contains("passed: 7 calls are as expected");
    assertThat(run.err()).contains("INFO local template: greeting Ada");
  }

  @Test
  @DisabledOnOs(value = OS.WINDOWS, disabledReason = "the compilers here are shell scripts")
  void warnsOfPermissionsThatDoNotFitTheImports() throws Exception {
    Path folder = project(Language.C);
    Path manifest = folder.resolve("plugin.toml");
    Files.writeString(
        manifest, Files.readString(manifest).replace("\"log:write\"", "\"config:read\""));
    compiler("clang", Built.bare(Language.C, scratch.resolve("other")));
    program("wasm-ld", "exit 1");
    assertThat(run.run("plugin", "build", "" + folder)).as(run.err()).isZero();
    assertThat(run.out())
        .contains("warning: permission config:read is not needed")
        .contains("warning: log.write is imported, but the manifest has no permission log:write");
  }

  @Test
  @DisabledOnOs(value = OS.WINDOWS, disabledReason = "the compilers here are shell scripts")
  void showsWhatTheCompilerSaid() throws Exception {
    Path folder = project(Language.C);
    program("my-clang", "echo 'plugin.c:3: no such thing'; exit 4");
    run.env.put("CLANG", scratch.resolve("bin/my-clang").toString());
    assertThat(run.run("plugin", "build", "" + folder)).isEqualTo(ExitCodes.REFUSED);
    assertThat(run.err()).contains("my-clang ended with 4").contains("plugin.c:3: no such thing");
    assertThat(folder.resolve("build")).doesNotExist();
  }

  @Test
  @DisabledOnOs(value = OS.WINDOWS, disabledReason = "the compilers here are shell scripts")
  void refusesAModuleThatAServerWouldRefuse() throws Exception {
    Path folder = project(Language.C);
    compiler("clang", new byte[] {0, 'a', 's', 'm', 1, 0, 0, 0});
    program("wasm-ld", "exit 1");
    assertThat(run.run("plugin", "build", "" + folder)).isEqualTo(ExitCodes.REFUSED);
    assertThat(run.err()).contains("the module would be refused: it exports no memory");
  }

  @Test
  void answersInJson() throws Exception {
    Path folder = Built.template(Language.C, scratch.resolve("project"));
    assertThat(run.run("plugin", "test", "" + folder, "-o", "json")).isZero();
    JsonNode answer = ClientJson.MAPPER.readTree(run.out());
    assertThat(answer.path("passed").asBoolean()).isTrue();
    assertThat(answer.at("/steps/1/kv/greetings~1Ada").asText()).isEqualTo("1");
    assertThat(answer.at("/steps/1/fuel").asLong()).isPositive();
    assertThat(answer.at("/steps/6/reply").asText()).isEqualTo("2");
    assertThat(answer.at("/published/0/data").asText()).isEqualTo("{\"to\":\"Ada\",\"count\":1}");
  }

  @Test
  void failsWhenAnEventEndsInAnotherWayThanRecorded() throws Exception {
    Path folder = Built.template(Language.C, scratch.resolve("project"));
    Path events = folder.resolve("events.jsonl");
    Files.writeString(events, Files.readString(events).replace("\"permanent\"", "\"retryable\""));
    assertThat(run.run("plugin", "test", "" + folder)).isEqualTo(ExitCodes.REFUSED);
    assertThat(run.out())
        .contains("events.jsonl:4: outcome should be retryable, but is permanent")
        .contains("failed: 1 of 7 calls are not as expected");
  }

  @Test
  void saysHowToBuildWhatIsNotBuilt() throws Exception {
    Path folder = project(Language.C);
    assertThat(run.run("plugin", "test", "" + folder)).isEqualTo(ExitCodes.REFUSED);
    assertThat(run.err()).contains("build it with: viesti plugin build " + folder);
  }

  @Test
  void takesAModuleThatWasCompiledElsewhere() throws Exception {
    Path folder = project(Language.C);
    byte[] module = Built.bare(Language.C, scratch.resolve("other"));
    Files.delete(folder.resolve("src/plugin.c"));
    assertThat(run.run("plugin", "build", "" + folder)).isEqualTo(ExitCodes.REFUSED);
    assertThat(run.err()).contains("has none of src/plugin.c, ").contains("give --module");
    Path made = Files.write(scratch.resolve("made.wasm"), module);
    assertThat(run.run("plugin", "build", "" + folder, "--module", "" + made)).isZero();
    assertThat(run.run("plugin", "test", "" + folder)).as(run.err()).isZero();
  }

  @Test
  void namesTheFileThatCannotBeRead() throws Exception {
    Path folder = Built.template(Language.C, scratch.resolve("project"));
    Path missing = scratch.resolve("missing.jsonl");
    assertThat(run.run("plugin", "test", "" + folder, "--events", "" + missing))
        .isEqualTo(ExitCodes.REFUSED);
    assertThat(run.err()).contains(missing + ": there is no such file");
    Path binary = Files.write(scratch.resolve("binary.jsonl"), new byte[] {(byte) 0xff});
    assertThat(run.run("plugin", "test", "" + folder, "--events", "" + binary))
        .isEqualTo(ExitCodes.REFUSED);
    assertThat(run.err()).contains(binary + " is not UTF-8");
  }
}
