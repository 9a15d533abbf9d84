package dev.viesti.dispatcher.plugin.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import dev.viesti.dispatcher.json.Json;
import dev.viesti.dispatcher.plugin.manifest.ManifestReader.Format;
import dev.viesti.protocol.plugin.Manifest;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever the bytes: a manifest that is fine, or faults; soon, and nothing else. */
class ManifestFuzzTest {
  private static final int MUTANTS = 3_000;

  /** What is spliced in: what the grammars know, what the schema knows, and what nobody wants. */
  private static final String[] PIECES = {
    "{",
    "}",
    "[",
    "]",
    "[[",
    "]]",
    "\"",
    "'",
    "\"\"\"",
    ",",
    ":",
    "=",
    ".",
    "#",
    "\n",
    "\\",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "1e999",
    "-0",
    "1e999999999",
    "0x7fffffffffffffff",
    "inf",
    "nan",
    "1979-05-27T07:32:00Z",
    "99999999999999999999",
    "\"$ref\":\"#\"",
    "\"$ref\"",
    "\"#/config\"",
    "\"pattern\"",
    "\"(a+)+$\"",
    "\"a{1000}\"",
    "\"entity:write:\"",
    "\"reference\"",
    "config",
    "limits",
    "\uFEFF",
    "\u0000",
    "\u202E",
    "é",
    "\uD83D\uDE00",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
  };

  @ParameterizedTest
  @EnumSource(Format.class)
  void staysCalm(Format format) {
    String whole = format == Format.JSON ? Manifests.FULL_JSON : Manifests.FULL_TOML;
    int[] fine = new int[1];
    for (int seed = 0; seed < MUTANTS; seed++) {
      SplittableRandom random = new SplittableRandom(seed); // mixes small seeds well
      byte[] mutant = whole.getBytes(StandardCharsets.UTF_8);
      for (int times = 1 + random.nextInt(4); times > 0; times--) {
        mutant = mutated(mutant, random);
      }
      byte[] text = mutant;
      assertTimeout(
          Duration.ofSeconds(5),
          () -> fine[0] += readsOrRefuses(text, format) ? 1 : 0,
          "seed " + seed);
    }
    assertThat(fine[0]).as("mutants that are manifests").isBetween(MUTANTS / 100, MUTANTS / 2);
  }

  /** Whether it is a manifest; then it must come back from what the API shows of it. */
  private static boolean readsOrRefuses(byte[] text, Format format) throws Exception {
    Manifest manifest;
    try {
      manifest = ManifestReader.read(text, format);
    } catch (MalformedManifestException malformed) {
      assertThat(malformed.faults()).isNotEmpty().hasSizeLessThanOrEqualTo(Faults.KEPT_MAX);
      assertThat(malformed.faults())
          .allSatisfy(fault -> assertThat(fault.message()).isNotBlank().hasSizeLessThan(1_000));
      return false;
    }
    assertThat(ManifestReader.read(Json.MAPPER.writeValueAsBytes(manifest), Format.JSON))
        .isEqualTo(manifest);
    ConfigSchema schema = ConfigSchema.of(manifest.configSchema());
    assertThat(
            schema.faults("{\"from\":\"a\",\"rate\":2,\"x\":[1]}".getBytes(StandardCharsets.UTF_8)))
        .isNotNull();
    return true;
  }

  private static byte[] mutated(byte[] text, SplittableRandom random) {
    int from = random.nextInt(text.length + 1);
    int to = Math.min(text.length, from + random.nextInt(12));
    byte[] piece =
        switch (random.nextInt(5)) {
          case 0 -> new byte[0];
          case 1 -> new byte[] {(byte) random.nextInt(256)};
          case 2 -> {
            int start = random.nextInt(text.length + 1);
            yield Arrays.copyOfRange(
                text, start, Math.min(text.length, start + random.nextInt(200)));
          }
          default -> PIECES[random.nextInt(PIECES.length)].getBytes(StandardCharsets.UTF_8);
        };
    int end = random.nextInt(4) == 0 ? from : to; // one in four inserts only
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(text, 0, from);
    out.writeBytes(piece);
    out.write(text, end, text.length - end);
    return out.toByteArray();
  }
}
