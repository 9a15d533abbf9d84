package dev.viesti.ops.authoring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The sample plugins, as their authors would try them. */
@Timeout(60)
class SamplesTest {
  private static final Clock CLOCK = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);

  @TempDir private Path scratch;

  private static Rehearsal.Result rehearse(String sample) throws Exception {
    Path folder = Built.sample(sample);
    return rehearse(folder, new Rehearsal.Script(PluginFile.eventsOf(folder), null, null, false));
  }

  private static Rehearsal.Result rehearse(Path folder, Rehearsal.Script script) throws Exception {
    return Rehearsal.run(PluginFile.read(folder), script, CLOCK);
  }

  @ParameterizedTest
  @ValueSource(strings = {"order-numbering", "issue-triage"})
  void areBuiltFromTheSourcesBesideThem(String sample) throws Exception {
    Project project = Project.open(Built.sample(sample));
    assertThat(project.sources())
        .as("run ops/src/samples/build.sh")
        .isEqualTo(Files.readString(project.sourcesFile()));
    assertThat(PluginFile.read(project.folder()).manifest().text())
        .isEqualTo(project.manifest().text());
  }

  @Test
  void useTheBindingsOfTheTemplates() throws Exception {
    assertThat(Files.readString(Built.sample("order-numbering").resolve("src/viesti.h")))
        .isEqualTo(ProjectTemplate.text(Language.C, "src/viesti.h"));
    for (String file : List.of("assembly/viesti.ts", "assembly/json.ts", "exports.mjs")) {
      assertThat(Files.readString(Built.sample("issue-triage").resolve(file)))
          .isEqualTo(ProjectTemplate.text(Language.ASSEMBLYSCRIPT, file));
    }
  }

  @Test
  void numbersEachOrderOnce() throws Exception {
    Rehearsal.Result result = rehearse("order-numbering");
    assertThat(result.steps()).allSatisfy(step -> assertThat(step.faults()).isEmpty());
    assertThat(result.kv())
        .containsOnly(
            Map.entry("numbers/A-17", "ORD-2026-000001"),
            Map.entry("numbers/4711", "ORD-2026-000002"),
            Map.entry("numbers/A-18", "ORD-2027-000001"));
    assertThat(result.published())
        .extracting(event -> event.data().utf8())
        .containsExactly(
            "{\"orderId\":\"A-17\",\"number\":\"ORD-2026-000001\"}",
            "{\"orderId\":\"4711\",\"number\":\"ORD-2026-000002\"}",
            "{\"orderId\":\"A-18\",\"number\":\"ORD-2027-000001\"}");
  }

  @Test
  void countsIssuesByWhatTheyAreAbout() throws Exception {
    Rehearsal.Result result = rehearse("issue-triage");
    assertThat(result.steps()).allSatisfy(step -> assertThat(step.faults()).isEmpty());
    assertThat(result.kv())
        .containsOnly(
            Map.entry("issues/acme/shop#2", "security"),
            Map.entry("issues/acme/shop#3", "question"),
            Map.entry("issues/acme/shop#4", "feature"),
            Map.entry("labels/bug", "0"),
            Map.entry("labels/feature", "1"),
            Map.entry("labels/question", "1"),
            Map.entry("labels/security", "1"),
            Map.entry("labels/untriaged", "0"));
  }

  @Test
  void readsWhatGithubReallySends() throws Exception {
    Path deliveries =
        Path.of(
            Objects.requireNonNull(SamplesTest.class.getResource("github-issues.jsonl")).toURI());
    Rehearsal.Result result =
        rehearse(
            Built.sample("issue-triage"),
            new Rehearsal.Script(List.of(deliveries), null, null, true));
    assertThat(result.steps())
        .extracting(Rehearsal.Step::name, step -> step.run().outcome())
        .containsExactly(
            tuple("start", "succeeded"),
            tuple("github.issues.opened", "succeeded"),
            tuple("github.issues.demilestoned", "succeeded"),
            tuple("github.issues.pinned", "succeeded"),
            tuple("github.issues.unlabeled", "succeeded"),
            tuple("github.issue_comment.created", "unmatched"),
            tuple("github.issues.deleted", "succeeded"));
    assertThat(result.published())
        .extracting(event -> event.data().utf8())
        .containsExactly(
            labelled(1, "bug", "null"),
            labelled(2, "bug", "null"),
            labelled(1, "documentation", "\"bug\""),
            labelled(1, "bug", "\"documentation\""));
    assertThat(result.kv())
        .containsOnly(
            Map.entry("issues/Codertocat/Hello-World#2", "bug"),
            Map.entry("labels/bug", "1"),
            Map.entry("labels/documentation", "0"));
  }

  private static String labelled(int number, String label, String before) {
    return """
    {"repository":"Codertocat/Hello-World","number":%d,"label":"%s","before":%s}\
    """
        .formatted(number, label, before);
  }

  @Test
  void letsAConfigurationHaveWordsOfItsOwn() throws Exception {
    Path events =
        Files.writeString(
            scratch.resolve("events.jsonl"),
            """
            {"specversion":"1.0","source":"github","type":"github.issues.opened","data":\
            {"action":"opened","issue":{"number":7,"title":"Crash of the INVOICE page","body":"refund"},\
            "repository":{"full_name":"acme/shop"}}}
            """);
    Path config =
        Files.writeString(
            scratch.resolve("config.json"),
            "{\"rules\":{\"bug\":[\"sad\"],\"billing\":[\"Invoice\",\"refund\"]}}");
    Path folder = Built.sample("issue-triage");
    var plain = new Rehearsal.Script(List.of(events), null, null, false);
    var configured = new Rehearsal.Script(List.of(events), config, null, false);
    assertThat(rehearse(folder, plain).kv()).containsEntry("issues/acme/shop#7", "bug");
    assertThat(rehearse(folder, configured).kv()).containsEntry("issues/acme/shop#7", "billing");
  }
}
