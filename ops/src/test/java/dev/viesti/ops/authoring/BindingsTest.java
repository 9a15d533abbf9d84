package dev.viesti.ops.authoring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.dispatcher.plugin.LocalPlugin;
import dev.viesti.dispatcher.plugin.LocalPlugin.Run;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the bindings of the templates make of the host API: the same in every language. */
@Timeout(60)
class BindingsTest {
  private static final Instant NOON = Instant.parse("2026-03-04T12:00:00Z");

  /** One of each: two, three and four bytes of UTF-8, what JSON escapes, what it may escape. */
  private static final String TEXT = "ä€😀\"\\\n\t/";

  private static final String ESCAPED = "\"ä\\u20AC\\ud83d\\uDE00\\\"\\\\\\n\\t\\/\"";

  private static final String ANSWERS =
      """
      app=local
      principal=me
      permissions=kv:read:open,kv:write:open,numbering:next:*,config:read,event:publish:*,\
      log:write,context:read
      delivery=none
      attempt=1
      now=1772625600000
      value="ä€😀\\"\\\\\\u000a\\u0009/"
      nothing=none
      page=k2
      keys=k1,k2,k3
      empty=true0
      deleted=true,false
      number=ORD-2026-0001
      config="me@x"
      unset=none
      event=36
      refused=the manifest does not permit kv:write on 'closed'
      """;

  @TempDir private Path folder;

  @ParameterizedTest
  @EnumSource(Language.class)
  void callEveryFunctionOfTheHost(Language language) throws Exception {
    Path file = Files.write(folder.resolve("x.wasm"), Built.resource(language, "everything.wasm"));
    PluginFile built = PluginFile.read(file);
    String config = "{\"mail\":{\"from\":\"me@x\"}}";
    try (LocalPlugin plugin =
        LocalPlugin.load(
            built.manifest().manifest(), built.module().bytes(), config, UUID::randomUUID)) {
      assertThat(plugin.start(NOON).outcome()).isEqualTo("succeeded");
      Run run =
          plugin.invoke("everything", Payload.ofJson("{ \"in\" : " + ESCAPED + "}"), "me", NOON);
      assertThat(run.error()).isNull();
      assertThat(run.reply().utf8()).isEqualTo(ANSWERS);
      assertThat(plugin.kv())
          .containsOnly(
              Map.entry("open/init", "1"),
              Map.entry("open/app", "local"),
              Map.entry("open/text", TEXT),
              Map.entry("open/k1", ""),
              Map.entry("open/k3", "3"));
      assertThat(plugin.published())
          .singleElement()
          .returns("told", Event::type)
          .returns("subject", Event::subject)
          .returns(Payload.ofJson("\"ä€😀\\\"\\\\\\u000a\\u0009/\""), Event::data);
      assertThat(plugin.imports()).hasSize(14);
    }
  }

  @ParameterizedTest
  @EnumSource(Language.class)
  void areThoseThatTheModuleWasBuiltFrom(Language language) throws Exception {
    Built.template(language, folder);
    Path plugins = Built.sample("../test/plugins");
    copy(plugins.resolve("plugin.toml"), folder.resolve("plugin.toml"));
    Path sources = plugins.resolve(language.word());
    List<Path> files;
    try (Stream<Path> all = Files.walk(sources)) {
      files = all.filter(Files::isRegularFile).toList();
    }
    files.forEach(file -> copy(file, folder.resolve(sources.relativize(file).toString())));
    assertThat(Project.open(folder).sources())
        .as("run ops/src/samples/build.sh")
        .isEqualTo(
            new String(Built.resource(language, "everything.sha256"), StandardCharsets.UTF_8));
  }

  private static void copy(Path from, Path to) {
    try {
      Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }
}
