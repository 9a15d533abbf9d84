package dev.viesti.persistence;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.time.Duration;
import java.time.Instant;

@AnalyzeClasses(
    packages = "dev.viesti.persistence",
    importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {
  @ArchTest
  static final ArchRule knowsNoActorsAndNothingAbove =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.apache.pekko..", "scala..", "dev.viesti.dispatcher..", "dev.viesti.ops..");

  @ArchTest
  static final ArchRule protocolIsAllThatItKnowsOfViesti =
      classes()
          .that()
          .resideInAnyPackage("..outbox..", "..deadletter..", "..app..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "dev.viesti.persistence..",
              "dev.viesti.protocol..",
              "java..",
              "org.jspecify.annotations..");

  @ArchTest
  static final ArchRule theEmbeddedServerKnowsNoTables =
      noClasses()
          .that()
          .resideInAPackage("..embedded..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("..outbox..", "..deadletter..", "..app..", "..schema..");

  /**
   * No table's time comes from this JVM by itself: callers hand it over, or the server says now.
   */
  @ArchTest
  static final ArchRule isGivenItsTimeAndItsChance =
      noClasses()
          .should()
          .callMethod(Instant.class, "now")
          .orShould()
          .callMethod(System.class, "currentTimeMillis")
          .orShould()
          .callMethod(Math.class, "random");

  /** What waits for processes or locks parks with a deadline, and can be interrupted. */
  @ArchTest
  static final ArchRule neverSleeps =
      noClasses()
          .should()
          .callMethod(Thread.class, "sleep", long.class)
          .orShould()
          .callMethod(Thread.class, "sleep", Duration.class);

  @ArchTest
  static final ArchRule packagesFormNoCircle =
      slices().matching("dev.viesti.persistence.(*)..").should().beFreeOfCycles();
}
