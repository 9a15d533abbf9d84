package dev.viesti.ops.cli;

import dev.viesti.ops.cli.client.ApiProblem;
import dev.viesti.ops.cli.client.UnreachableException;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what ended a command into sentences and an exit code. */
final class Failures implements IExecutionExceptionHandler, IParameterExceptionHandler {
  private final Terminal terminal;

  Failures(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public int handleExecutionException(Exception failure, CommandLine command, ParseResult parsed) {
    terminal.out().flush();
    if (terminal.env("VIESTI_DEBUG") != null) {
      failure.printStackTrace(terminal.err());
    }
    return switch (failure) {
      case CommandFailure sentence -> {
        say(sentence.sentence());
        yield sentence.exitCode();
      }
      case ApiProblem problem -> {
        explain(problem);
        yield ExitCodes.REFUSED;
      }
      case UnreachableException unreachable -> {
        say("no server answers at " + unreachable.url() + " (" + unreachable.getMessage() + ")");
        next("start one with: bin/viesti dev; or name another with --url or VIESTI_URL");
        yield ExitCodes.UNREACHABLE;
      }
      default -> {
        say(failure.getMessage() == null ? failure.toString() : failure.getMessage());
        Throwable cause = failure.getCause();
        if (cause != null && cause.getMessage() != null) {
          terminal.err().println("  because: " + cause.getMessage());
        }
        next("VIESTI_DEBUG=1 shows where it happened");
        yield ExitCodes.REFUSED;
      }
    };
  }

  @Override
  public int handleParseException(ParameterException failure, String[] args) {
    CommandLine command = failure.getCommandLine();
    say(String.valueOf(failure.getMessage()));
    if (!UnmatchedArgumentException.printSuggestions(failure, terminal.err())) {
      if (!command.getSubcommands().isEmpty()) {
        command.usage(terminal.err());
      } else {
        next(command.getCommandSpec().qualifiedName() + " --help");
      }
    }
    return ExitCodes.USAGE;
  }

  private void explain(ApiProblem problem) {
    say(problem.title() + " (HTTP " + problem.status() + ")");
    boolean said =
        problem.errors().stream().anyMatch(error -> error.detail().equals(problem.detail()));
    if (!problem.detail().isEmpty() && !said) {
      terminal.err().println("  " + problem.detail());
    }
    for (ApiProblem.FieldError error : problem.errors()) {
      String where = error.pointer().isEmpty() ? "" : error.pointer() + ": ";
      terminal.err().println("  " + where + error.detail());
    }
    switch (problem.status()) {
      case 401, 403 -> next("set VIESTI_KEY to a key of that server, or give --key-file");
      case 412 -> next("somebody else changed it meanwhile: look at it, then repeat the command");
      case 503 -> next("the server is busy or restarting: repeat the command in a moment");
      default -> {} // the detail says what is wrong
    }
  }

  private void say(String sentence) {
    terminal.err().println("viesti: " + sentence);
  }

  private void next(String step) {
    terminal.err().println("  next: " + step);
  }
}
