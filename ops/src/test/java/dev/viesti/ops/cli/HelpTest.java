package dev.viesti.ops.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.trigger.Trigger;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What somebody reads who has never seen a command. */
class HelpTest {
  private static final Pattern LISTED = Pattern.compile("(?m)^  ([a-z][a-z-]+) {2,}\\S");

  /** An argument or an option with nothing beside it, nor in the line below. */
  private static final Pattern UNEXPLAINED =
      Pattern.compile("(?m)^ {2,6}(?:-\\S+(?:, )?(?:--\\S+)?|[<\\[A-Z]\\S*)\\n(?! {10})");

  /** They answer nothing that a program would read. */
  private static final Set<String> NO_ANSWER =
      Set.of("dev", "serve", "demo", "bench", "completion", "migrate sql");

  static List<String> commands() {
    List<String> found = new ArrayList<>();
    collect("", found);
    return found;
  }

  private static void collect(String command, List<String> found) {
    String help = help(command);
    boolean isGroup = help.contains("\nCommands:\n");
    if (!isGroup || command.equals("migrate")) {
      found.add(command);
    }
    if (isGroup) {
      String list = help.substring(help.indexOf("\nCommands:\n"), help.indexOf("\nExit codes"));
      LISTED
          .matcher(list)
          .results()
          .forEach(one -> collect((command + " " + one.group(1)).strip(), found));
    }
  }

  @ParameterizedTest
  @MethodSource("commands")
  void explainsEveryArgument(String command) {
    String help = help(command);
    assertThat(help).doesNotContainPattern(UNEXPLAINED);
    assertThat(help).doesNotContainPattern("<\\w+>");
    assertThat(help.lines()).allMatch(line -> line.length() <= 100);
  }

  @ParameterizedTest
  @MethodSource("commands")
  void answersInJsonWhereAProgramMayRead(String command) {
    if (!NO_ANSWER.contains(command)) {
      assertThat(help(command)).contains("-o, --output=FORMAT");
    }
  }

  @Test
  void namesEveryFieldOfATrigger() {
    String help = help("trigger apply").replace('\n', ' ');
    for (RecordComponent field : Trigger.class.getRecordComponents()) {
      assertThat(help).containsPattern("fields: [^.]*\\b" + field.getName() + "\\b");
    }
  }

  private static String help(String command) {
    var run = new CommandRun();
    List<String> words =
        new ArrayList<>(command.isEmpty() ? List.of() : List.of(command.split(" ")));
    words.add("--help");
    assertThat(run.run(words.toArray(String[]::new))).as(command).isZero();
    return run.out().replace("\r\n", "\n");
  }
}
