package dev.viesti.dispatcher;

import dev.viesti.dispatcher.plugin.Scripts;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.trigger.Target;
import java.util.concurrent.CompletionStage;

/**
 * Looks at scripts before their app hears of them: parsing one takes milliseconds, and the first
 * one of a node seconds, for which no app should stand still.
 */
record ScriptCheck(AppCalls calls, Scripts scripts) {
  /** Fails with {@link RefusedException} when a script cannot be registered. */
  CompletionStage<Boolean> require(AppId app, Target.Script script) {
    return calls.read(
        () -> {
          Refusal refusal = scripts.check(app, script);
          if (refusal != null) {
            throw new RefusedException(refusal);
          }
          return true;
        });
  }
}
