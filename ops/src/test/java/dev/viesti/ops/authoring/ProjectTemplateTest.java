package dev.viesti.ops.authoring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What somebody gets who asks for a new plugin. */
@Timeout(60)
class ProjectTemplateTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @EnumSource(Language.class)
  void passesItsOwnTest(Language language) throws Exception {
    Built.template(language, folder);
    Rehearsal.Result result =
        Rehearsal.run(
            PluginFile.read(folder),
            new Rehearsal.Script(PluginFile.eventsOf(folder), null, null, false),
            Clock.fixed(Instant.EPOCH, ZoneOffset.UTC));
    assertThat(result.steps()).allSatisfy(step -> assertThat(step.faults()).isEmpty());
    assertThat(result.kv()).containsKeys("greetings/Ada", "greetings/Grace \"Amazing\" Hopper ☃");
    assertThat(result.published()).hasSize(3);
  }

  @ParameterizedTest
  @EnumSource(Language.class)
  void isWhatItsModuleWasBuiltFrom(Language language) throws Exception {
    Project project = Project.open(Built.template(language, folder));
    assertThat(project.sources())
        .as("run ops/src/samples/build.sh")
        .isEqualTo(new String(Built.resource(language, "template.sha256"), StandardCharsets.UTF_8));
    assertThat(project.language()).isEqualTo(language);
  }

  @Test
  void overwritesNothing() throws Exception {
    Files.writeString(folder.resolve("README.md"), "mine");
    assertThatThrownBy(() -> ProjectTemplate.write(Built.TEMPLATE, Language.C, folder))
        .isInstanceOf(AuthoringException.class)
        .hasMessageContaining("README.md is already there");
    try (Stream<Path> files = Files.walk(folder)) {
      assertThat(files.filter(Files::isRegularFile)).containsExactly(folder.resolve("README.md"));
    }
    assertThat(folder.resolve("README.md")).hasContent("mine");
  }
}
