package dev.viesti.ops.cli;

import dev.viesti.ops.cli.EventLine.BadLineException;
import dev.viesti.ops.cli.EventLine.Defaults;
import dev.viesti.ops.cli.client.ApiProblem;
import dev.viesti.ops.cli.client.EventSender;
import dev.viesti.ops.cli.client.EventSender.Receipt;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Cuts lines into batches, sends them in order, and says which lines could not be sent and why. */
final class EventUpload {
  /** Enough for one group commit; a refused batch stays readable. */
  private static final int BATCH_EVENTS_MAX = 100;

  /** Well below the server's default limit for a batch; a longer line goes alone. */
  private static final int BATCH_CHARACTERS_MAX = 512 * 1024;

  private static final Pattern INDEX = Pattern.compile("^#?/(\\d{1,5})(?:/|$)");

  private final EventSender sender;
  private final Defaults defaults;
  private final boolean keepGoing;
  private final PrintWriter err;
  private final Progress progress;

  private final List<EventLine> batch = new ArrayList<>();
  private int batchCharacters;
  private Receipt sum = Receipt.NONE;
  private long refused;

  EventUpload(
      EventSender sender,
      Defaults defaults,
      boolean keepGoing,
      PrintWriter err,
      Progress progress) {
    this.sender = sender;
    this.defaults = defaults;
    this.keepGoing = keepGoing;
    this.err = err;
    this.progress = progress;
  }

  /** What the server has accepted so far. */
  Receipt sum() {
    return sum;
  }

  /** Lines that were not sent or not accepted. */
  long refused() {
    return refused;
  }

  /** Sends every line; empty ones are skipped. Lines before a bad one are sent in any case. */
  void send(BufferedReader lines) throws IOException {
    long number = 0;
    for (String text = lines.readLine(); text != null; text = lines.readLine()) {
      number++;
      if (!text.isBlank() && !add(number, text)) {
        break;
      }
    }
    flush();
  }

  /** False when sending ends here. */
  private boolean add(long number, String text) {
    EventLine line;
    try {
      line = EventLine.parse(number, text, defaults);
    } catch (BadLineException bad) {
      report(number, bad.reason());
      return keepGoing;
    }
    boolean full =
        batch.size() == BATCH_EVENTS_MAX
            || batchCharacters + line.json().length() > BATCH_CHARACTERS_MAX;
    if (full && !flush()) {
      return false;
    }
    batch.add(line);
    batchCharacters += line.json().length();
    return true;
  }

  /** False when sending ends here. */
  private boolean flush() {
    boolean goesOn = true;
    while (!batch.isEmpty() && goesOn) {
      try {
        sum = sum.plus(sender.send(batch.stream().map(EventLine::json).toList()));
        progress.step(batch.size());
        batch.clear();
      } catch (ApiProblem problem) {
        goesOn = dropRefused(problem);
      }
    }
    batchCharacters = 0;
    return goesOn;
  }

  /** A refused batch was refused as a whole: its good lines may be sent again without the bad. */
  private boolean dropRefused(ApiProblem problem) {
    Map<Integer, String> reasons = new TreeMap<>();
    for (ApiProblem.FieldError error : problem.errors()) {
      Matcher matcher = INDEX.matcher(error.pointer());
      if (matcher.find() && Integer.parseInt(matcher.group(1)) < batch.size()) {
        reasons.putIfAbsent(
            Integer.parseInt(matcher.group(1)),
            error.pointer().substring(matcher.end(1)) + " " + error.detail());
      }
    }
    if (reasons.isEmpty()) {
      if (batch.size() == 1 && problem.status() == 413) {
        report(batch.getFirst().number(), problem.detail());
        batch.clear();
        return keepGoing;
      }
      throw problem;
    }
    var good = new ArrayList<EventLine>();
    for (int i = 0; i < batch.size(); i++) {
      String reason = reasons.get(i);
      if (reason == null) {
        good.add(batch.get(i));
      } else {
        report(batch.get(i).number(), reason.strip());
      }
    }
    if (!keepGoing) {
      int first = reasons.keySet().iterator().next();
      good.removeIf(line -> line.number() > batch.get(first).number());
    }
    batch.clear();
    batch.addAll(good);
    if (!keepGoing) {
      sendLast();
      return false;
    }
    return true;
  }

  private void sendLast() {
    if (!batch.isEmpty()) {
      sum = sum.plus(sender.send(batch.stream().map(EventLine::json).toList()));
      batch.clear();
    }
  }

  private void report(long number, String reason) {
    refused++;
    progress.note("");
    err.println("line " + number + ": " + reason);
    if (!keepGoing && refused == 1) {
      err.println(
          "stopped there: correct the line and send the rest, or skip such lines with"
              + " --keep-going");
    }
  }
}
