package dev.viesti.ops.cli;

import dev.viesti.ops.cli.launch.NodeLauncher;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ScopeType;

/** The door of {@code bin/viesti}. */
@Command(
    name = "viesti",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    description = "A durable event and trigger dispatcher.",
    synopsisSubcommandLabel = "COMMAND",
    usageHelpAutoWidth = false,
    exitCodeOnInvalidInput = ExitCodes.USAGE,
    exitCodeOnExecutionException = ExitCodes.REFUSED,
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:the server refused, or a check failed",
      "2:wrong usage",
      "3:no server answered",
      "130:ended by Ctrl-C"
    },
    footer = {
      "",
      "Every option can also be set in the environment: --data-dir is VIESTI_DATA_DIR.",
      "Secrets are never arguments: VIESTI_KEY, VIESTI_ADMIN_KEY, VIESTI_DATABASE_PASSWORD."
    })
public final class Main {
  private Main() {}

  /** Runs one command and ends the process with its exit code. */
  public static void main(String[] args) {
    Terminal terminal = Terminal.ofProcess();
    int exitCode = run(terminal, NodeLauncher.server(), args);
    terminal.out().flush();
    terminal.err().flush();
    System.exit(exitCode);
  }

  static int run(Terminal terminal, NodeLauncher launcher, String... args) {
    Map<String, Supplier<Object>> commands = commands(terminal, launcher);
    var main = new CommandLine(new Main());
    // Picocli reflects over each class that it is given: one command needs only its own.
    if (args.length > 0 && commands.containsKey(args[0]) && !args[0].equals("completion")) {
      main.addSubcommand(args[0], commands.get(args[0]).get());
    } else {
      commands.forEach((name, command) -> main.addSubcommand(name, command.get()));
    }
    main.getCommandSpec().versionProvider(new VersionCommand(terminal));
    var failures = new Failures(terminal);
    return main.setOut(terminal.out())
        .setErr(terminal.err())
        .setDefaultValueProvider(new EnvironmentDefaults(terminal.env()))
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpWidth(Math.clamp(terminal.columns(), 80, 100))
        .setExecutionExceptionHandler(failures)
        .setParameterExceptionHandler(failures)
        .execute(args);
  }

  private static Map<String, Supplier<Object>> commands(Terminal terminal, NodeLauncher launcher) {
    Map<String, Supplier<Object>> commands = new LinkedHashMap<>();
    commands.put("dev", () -> new DevCommand(terminal, launcher));
    commands.put("serve", () -> new ServeCommand(terminal, launcher));
    commands.put("demo", () -> new DemoCommand(terminal, launcher));
    commands.put("bench", () -> new BenchCommand(terminal));
    commands.put("doctor", () -> new DoctorCommand(terminal));
    commands.put("migrate", () -> new MigrateCommands(terminal));
    commands.put("app", () -> new AppCommands(terminal));
    commands.put("trigger", () -> new TriggerCommands(terminal));
    commands.put("plugin", () -> PluginAuthoring.in(new PluginCommands(terminal), terminal));
    commands.put("kv", () -> new KvCommands(terminal));
    commands.put("invoke", () -> new InvokeCommand(terminal));
    commands.put("event", () -> new EventCommands(terminal));
    commands.put("delivery", () -> new DeliveryCommands(terminal));
    commands.put("dead-letter", () -> new DeadLetterCommands(terminal));
    commands.put("stream", () -> new StreamCommand(terminal));
    commands.put("cluster", () -> new ClusterCommand(terminal));
    commands.put("completion", () -> new CompletionCommand(terminal));
    commands.put("version", () -> new VersionCommand(terminal));
    return commands;
  }
}
