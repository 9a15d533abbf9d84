package dev.viesti.client;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.DataInputStream;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the jar asks of those who use it. */
@AnalyzeClasses(
    packages = "dev.viesti.client",
    importOptions = ImportOption.DoNotIncludeTests.class)
final class JarTest {
  /** Annotations of jspecify may be missing when the classes are loaded. */
  @ArchTest
  static final ArchRule needsNothingButTheJdk =
      classes()
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "dev.viesti.client", "java..", "javax.sql", "org.jspecify.annotations");

  @Test
  void runsOnJava17() throws Exception {
    for (Class<?> type :
        List.of(
            ViestiClient.class,
            Event.class,
            Receipt.class,
            Waker.class,
            AppendStatement.class,
            JsonText.class)) {
      assertThat(majorVersion(type)).as(type.getName()).isEqualTo(61);
    }
  }

  private static int majorVersion(Class<?> type) throws IOException {
    try (var file =
        new DataInputStream(type.getResourceAsStream(type.getSimpleName() + ".class"))) {
      assertThat(file.readInt()).isEqualTo(0xCAFEBABE);
      file.readUnsignedShort();
      return file.readUnsignedShort();
    }
  }
}
