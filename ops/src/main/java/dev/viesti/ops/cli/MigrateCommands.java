package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.ops.cli.Output.Column;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.persistence.schema.SchemaException;
import dev.viesti.persistence.schema.SchemaMigrator;
import dev.viesti.persistence.schema.SchemaVersion;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "migrate",
    description = {
      "Bring a database's schema to this version.",
      "'dev' and 'serve' do so by themselves; this is for those who let only an administrator",
      "create tables."
    })
final class MigrateCommands implements Callable<Integer> {
  private static final List<Column> COLUMNS =
      List.of(
          Column.of("VERSION", "version"),
          Column.time("APPLIED", "appliedAt"),
          Column.of("NAME", "name"));

  private final Terminal terminal;

  @Mixin private final DatabaseOptions database = new DatabaseOptions();
  @Mixin private final Output output = new Output();

  @Option(names = "--dry-run", description = "print the SQL that would run, and run nothing")
  private boolean dryRun;

  MigrateCommands(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    SchemaMigrator migrator = migrator(database);
    try {
      if (dryRun) {
        return printPending(migrator);
      }
      List<String> applied = migrator.migrate(SchemaMigrator.Mode.AUTO);
      if (output.isJson()) {
        ObjectNode done = ClientJson.MAPPER.createObjectNode();
        applied.forEach(done.putArray("applied")::add);
        Output.printJson(terminal, done);
        return ExitCodes.OK;
      }
      applied.forEach(name -> terminal.out().println("applied " + name));
      if (applied.isEmpty()) {
        terminal.out().println("nothing to do: the schema is current");
      }
      return ExitCodes.OK;
    } catch (SchemaException failed) {
      throw CommandFailure.refused(String.valueOf(failed.getMessage()));
    }
  }

  @Command(name = "status", description = "List the migrations, and when each was applied.")
  int status(@Mixin DatabaseOptions database, @Mixin Output output) {
    ArrayNode rows = ClientJson.MAPPER.createArrayNode();
    boolean pending = false;
    try {
      for (SchemaVersion version : migrator(database).status()) {
        pending |= version.isPending();
        ObjectNode row = rows.addObject().put("version", version.version());
        row.put("name", version.name());
        row.put("appliedAt", version.appliedAt() == null ? null : version.appliedAt().toString());
      }
    } catch (SchemaException failed) {
      throw CommandFailure.refused(String.valueOf(failed.getMessage()));
    }
    if (output.isJson()) {
      Output.printJson(terminal, ClientJson.MAPPER.createObjectNode().set("data", rows));
    } else {
      new Table(terminal, COLUMNS).print(rows);
      if (pending) {
        terminal.err().println("some are pending: run viesti migrate");
      }
    }
    return ExitCodes.OK;
  }

  @Command(
      name = "sql",
      description = "Print the SQL of all migrations, for psql -v ON_ERROR_STOP=1.")
  int sql(
      @Option(names = "--from", paramLabel = "N", description = "the first version to print")
          @Nullable Integer from) {
    terminal.out().print(SchemaMigrator.sql(from == null ? 1 : from));
    terminal.out().flush();
    return ExitCodes.OK;
  }

  private int printPending(SchemaMigrator migrator) {
    var first =
        migrator.status().stream()
            .filter(SchemaVersion::isPending)
            .mapToInt(SchemaVersion::version)
            .min();
    terminal
        .out()
        .print(
            first.isPresent()
                ? SchemaMigrator.sql(first.getAsInt())
                : "-- nothing to do: the schema is current\n");
    terminal.out().flush();
    return ExitCodes.OK;
  }

  private SchemaMigrator migrator(DatabaseOptions database) {
    Logs.onlyWarnings();
    return new SchemaMigrator(DatabaseOptions.dataSource(database.require(terminal)));
  }
}
