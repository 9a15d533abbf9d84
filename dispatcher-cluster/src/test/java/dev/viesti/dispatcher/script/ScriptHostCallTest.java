package dev.viesti.dispatcher.script;

import static dev.viesti.dispatcher.script.Scripts.returned;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.dispatcher.script.ScriptResult.Threw;
import dev.viesti.dispatcher.script.ScriptResult.Trapped;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.dispatcher.wasm.WasmTrapException.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScriptHostCallTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          viesti.kv.delete('k')                            | kv.delete ["k"]
          viesti.kv.list('a/', { limit: 5 })               | kv.list ["a/",{"limit":5}]
          viesti.kv.put('k', { n: 1 })                     | kv.put ["k","{\\"n\\":1}"]
          viesti.kv.putText('k', 'plain ä')                | kv.put ["k","plain ä"]
          viesti.kv.getText('k')                           | kv.get ["k"]
          viesti.kv.get('k')                               | kv.get ["k"]
          viesti.entities.insert('order', { total: 3 })    | entities.insert ["order",{"total":3}]
          viesti.entities.update('order', 'id', 2, {})     | entities.update ["order","id",2,{}]
          viesti.entities.delete('order', 'id', 2)         | entities.delete ["order","id",2]
          viesti.entities.query('order', { limit: 1 })     | entities.query ["order",{"limit":1}]
          viesti.numbering.next('invoice')                 | numbering.next ["invoice"]
          viesti.config.get('key')                         | config.get ["key"]
          viesti.events.publish('t', [1], { subject: 's' })| events.publish ["t",[1],{"subject":"s"}]
          viesti.log.trace('m')                            | log.trace ["m"]
          viesti.log.debug('m')                            | log.debug ["m"]
          viesti.log.info('m', { n: 1 })                   | log.info ["m",{"n":1}]
          viesti.log.warn('m')                             | log.warn ["m"]
          viesti.log.error('m', undefined)                 | log.error ["m",null]
          """)
  void arrivesAtTheHost(String expression, String asked) {
    Scripts scripts = Scripts.answering("null");
    assertThat(scripts.run("function main() { return " + expression + " }").outcome())
        .isInstanceOf(ScriptResult.Returned.class);
    assertThat(scripts.asked).containsExactly(asked);
  }

  @Test
  void givesTheScriptWhatTheHostAnswers() {
    String answer = "{\"id\":\"7\",\"text\":\"a\\u0000ä😀\",\"list\":[1,null]}";
    assertThat(
            Scripts.answering(answer)
                .run("function main() { return viesti.entities.insert('order', {}) }")
                .outcome())
        .isEqualTo(returned(answer));
  }

  @Test
  void readsValuesThatArePlainTextOrJsonOrMissing() {
    assertThat(
            Scripts.answering("\"{\\\"n\\\":4}\"")
                .run("function main() { return [viesti.kv.get('k').n, viesti.kv.getText('k')] }")
                .outcome())
        .isEqualTo(returned("[4,\"{\\\"n\\\":4}\"]"));
    assertThat(
            Scripts.answering("null")
                .run("function main() { return viesti.kv.get('k') }")
                .outcome())
        .isEqualTo(returned("null"));
  }

  @Test
  void keepsOutOfTheStoreWhatJsonCannotExpress() {
    Scripts scripts = Scripts.answering("null");
    assertThat(scripts.run("function main() { viesti.kv.put('k', undefined) }").outcome())
        .isInstanceOf(Threw.class);
    assertThat(scripts.run("function main() { viesti.kv.putText('k', 5) }").outcome())
        .isInstanceOf(Threw.class);
    assertThat(scripts.asked).isEmpty();
  }

  @Test
  void throwsTheRefusalsOfTheHost() {
    Scripts scripts =
        new Scripts(
            (function, arguments) -> {
              throw new ScriptHostException("not permitted: " + function);
            });
    assertThat(scripts.run("function main() {\n viesti.numbering.next('r')\n}").outcome())
        .isInstanceOfSatisfying(
            Threw.class,
            threw -> assertThat(threw.message()).isEqualTo("not permitted: numbering.next"));
    assertThat(
            scripts
                .run(
                    "function main() { try { viesti.config.get('a') } catch (e) { return e.message"
                        + " } }")
                .outcome())
        .isEqualTo(returned("\"not permitted: config.get\""));
  }

  @Test
  void endsAtOnceWhenTheHostEndsIt() {
    Scripts scripts =
        new Scripts(
            (function, arguments) -> {
              throw new WasmTrapException(Kind.INTERRUPTED, "the time is up");
            });
    assertThat(
            scripts
                .run("function main() { try { viesti.config.get('a') } catch { return 1 } }")
                .outcome())
        .isEqualTo(new Trapped(Kind.INTERRUPTED, "the time is up"));
    assertThat(scripts.asked).hasSize(1);
  }

  @Test
  void countsTheWorkOfTheHostAsFuel() {
    String one = "function main() { viesti.config.get('a') }";
    long quiet = Scripts.answering("null").run(one).fuelUsed();
    String large = "\"" + "x".repeat(16_000) + "\"";
    assertThat(Scripts.answering(large).run(one).fuelUsed()).isGreaterThan(quiet + 1_000);
  }

  @Test
  void knowsWhoItRunsFor() {
    assertThat(Scripts.answering("null").run("function main() { return viesti.context }").outcome())
        .isEqualTo(
            returned(
                "{\"app\":\"shop\",\"principal\":\"anna\",\"permissions\":[\"kv\"],"
                    + "\"deliveryId\":\"d-1\",\"attempt\":2,\"now\":"
                    + Scripts.NOW
                    + "}"));
  }

  @Test
  void doesNotStartWithoutAContext() {
    ScriptResult result =
        Scripts.ENGINE.run(
            "function main() {}",
            "main",
            List.of(),
            ScriptEngine.LIMITS_DEFAULT,
            (function, arguments) -> "{}");
    assertThat(result.outcome())
        .isEqualTo(new Trapped(Kind.HOST, "the context has no now in milliseconds"));
  }
}
