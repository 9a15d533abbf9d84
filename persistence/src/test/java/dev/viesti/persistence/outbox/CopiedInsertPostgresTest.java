package dev.viesti.persistence.outbox;

/** What is true of a group of any size is true of one that is copied. */
final class CopiedInsertPostgresTest extends InsertPostgresTest {
  @Override
  int copyRows() {
    return 1;
  }
}
