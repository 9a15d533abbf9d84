package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.ops.cli.client.ApiClient;
import dev.viesti.ops.cli.client.ApiClient.Answer;
import java.util.function.Consumer;

/** Changes of what is there: all that is not named stays, also what this version does not know. */
final class Changes {
  private Changes() {}

  /**
   * Sends back what the server answered, changed; refused (412) when somebody else was faster.
   * Members of the answer that cannot be set are passed over by the server.
   */
  static Answer apply(ApiClient client, String path, Consumer<ObjectNode> change) {
    Answer before = client.getWithEtag(path);
    if (!(before.body() instanceof ObjectNode thing)) {
      throw CommandFailure.refused("the answer is no JSON object: is this the API of Viesti?");
    }
    // The answer may hide the secret; a webhook that is sent without one keeps the one it has.
    if (thing.path("target").path("webhook") instanceof ObjectNode webhook) {
      webhook.remove("secret");
    }
    change.accept(thing);
    return client.put(path, thing, before.etag());
  }
}
