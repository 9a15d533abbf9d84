package dev.viesti.dispatcher;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.time.Instant;

/** The walls of this module. */
@AnalyzeClasses(
    packages = "dev.viesti.dispatcher",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule knowsNothingOfOps =
      noClasses().should().dependOnClassesThat().resideInAPackage("dev.viesti.ops..");

  @ArchTest
  static final ArchRule targetsKnowNoOutbox =
      noClasses()
          .that()
          .resideInAPackage("dev.viesti.dispatcher.target..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.viesti.dispatcher.outbox..",
              "dev.viesti.dispatcher.app..",
              "dev.viesti.dispatcher.commit..",
              "dev.viesti.persistence..");

  @ArchTest
  static final ArchRule onlyItsAdapterKnowsTheWasmRuntime =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.viesti.dispatcher.wasm.endive..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("run.endive..");

  @ArchTest
  static final ArchRule theWasmEngineKnowsNothingOfPlugins =
      noClasses()
          .that()
          .resideInAPackage("dev.viesti.dispatcher.wasm..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("dev.viesti..")
                  .and(not(resideInAPackage("dev.viesti.dispatcher.wasm.."))));

  @ArchTest
  static final ArchRule onlyLanesAndRepositoriesKnowJdbcConnections =
      noClasses()
          .that()
          .areNotAssignableTo(TransactionalHandler.class) // what an embedding service implements
          .should()
          .dependOnClassesThat()
          .areAssignableTo(java.sql.Connection.class);

  @ArchTest
  static final ArchRule timeComesFromTheClock =
      noClasses()
          .should()
          .callMethod(Instant.class, "now")
          .orShould()
          .callMethod(System.class, "currentTimeMillis")
          .orShould()
          .callMethod(Thread.class, "sleep", long.class)
          .orShould()
          .callMethod(Math.class, "random");
}
