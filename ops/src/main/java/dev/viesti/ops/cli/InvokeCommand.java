package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.ops.cli.client.ApiClient;
import dev.viesti.ops.cli.client.ApiClient.Bytes;
import dev.viesti.ops.cli.client.ClientJson;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "invoke",
    description = {
      "Run the plugin of a trigger now, and print what it returns.",
      "The trigger that a plugin brings along is called 'plugin-' and then as the plugin.",
      "  viesti invoke -a shop next-number -d '{\"series\": \"invoice\"}'"
    })
final class InvokeCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private final ServerOptions server = new ServerOptions();
  @Mixin private final Output output = new Output();
  @Mixin private final AppOption app = new AppOption();
  @Mixin private final RawBody body = new RawBody();

  @Option(names = "--to", paramLabel = "FILE", description = "write the reply there instead")
  private @Nullable String to;

  @Parameters(paramLabel = "TRIGGER", description = "the trigger's id")
  private String trigger = "";

  InvokeCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    try (ApiClient client = server.connect(terminal)) {
      Bytes reply =
          client.exchange(
              "POST",
              app.path(ApiClient.path("/invoke/%s", trigger)),
              "application/octet-stream",
              body.bytes(terminal),
              Map.of());
      if (to != null) {
        RawBody.write(to, reply.body().bytes());
      }
      if (output.isJson()) {
        ObjectNode json = ClientJson.MAPPER.createObjectNode();
        json.set("reply", RawBody.asJson(reply.body().bytes()));
        Output.printJson(terminal, json);
      } else if (to == null && !reply.body().isEmpty()) {
        RawBody.print(terminal, reply.body().bytes());
      }
      return ExitCodes.OK;
    }
  }
}
