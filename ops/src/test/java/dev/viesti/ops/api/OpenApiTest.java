package dev.viesti.ops.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.dispatcher.cloudevents.CloudEvents;
import dev.viesti.dispatcher.plugin.PluginMetrics;
import dev.viesti.ops.metrics.Metrics;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.trigger.EventPattern;
import dev.viesti.protocol.trigger.RateLimit;
import dev.viesti.protocol.trigger.RetryPolicy;
import dev.viesti.protocol.trigger.Trigger;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.PathItem;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.parameters.Parameter;
import io.swagger.v3.parser.OpenAPIV3Parser;
import io.swagger.v3.parser.core.models.ParseOptions;
import io.swagger.v3.parser.core.models.SwaggerParseResult;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The document in the jar and the routes of the code say the same. */
class OpenApiTest {
  private static final SwaggerParseResult PARSED = parse();

  @Test
  void theDocumentIsValid() {
    assertThat(PARSED.getMessages()).isEmpty();
    assertThat(PARSED.getOpenAPI().getOpenapi()).isEqualTo("3.1.0");
  }

  @Test
  void describesExactlyTheRoutesThatThereAre() {
    Set<String> routed =
        routes().stream()
            .map(route -> route.method() + " " + route.template())
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(operations().keySet()).isEqualTo(routed);
  }

  @Test
  void everyPathOfTheDocumentLeadsToItsRoute() {
    Router router = new Router(routes());
    operations()
        .keySet()
        .forEach(
            operation -> {
              String[] parts = operation.split(" ", 2);
              String path = parts[1].replaceAll("\\{[^}]*}", "x");
              RequestHead head = new RequestHead(parts[0], path, null, Map.of(), null, null);
              assertThat(router.match(head).route().template()).isEqualTo(parts[1]);
            });
  }

  @Test
  void describesExactlyTheQueryParametersThatAreUnderstood() {
    routes()
        .forEach(
            route -> {
              Operation operation = operation(route);
              List<Parameter> parameters = operation.getParameters();
              Set<String> described =
                  Stream.ofNullable(parameters)
                      .flatMap(List::stream)
                      .map(OpenApiTest::resolved)
                      .filter(parameter -> "query".equals(parameter.getIn()))
                      .map(Parameter::getName)
                      .collect(Collectors.toSet());
              assertThat(described).as(route.template()).isEqualTo(route.query());
            });
  }

  /** A field that the document does not know is one that no generated client can set. */
  @Test
  void describesExactlyTheFieldsOfTheRecords() {
    Map<String, Class<? extends Record>> described =
        Map.of(
            "AppSettings", AppSettings.class,
            "TriggerSettings", Trigger.class,
            "EventPattern", EventPattern.class,
            "PluginMetrics", PluginMetrics.class,
            "RateLimit", RateLimit.class,
            "RetryPolicy", RetryPolicy.class);
    described.forEach(
        (name, type) -> {
          Schema<?> schema =
              Objects.requireNonNull(
                  PARSED.getOpenAPI().getComponents().getSchemas().get(name), name);
          assertThat(schema.getProperties().keySet())
              .as(name)
              .containsExactlyElementsOf(
                  Stream.of(type.getRecordComponents()).map(RecordComponent::getName).toList());
        });
  }

  @Test
  void saysWhichRoutesNeedNoKey() {
    routes()
        .forEach(
            route -> {
              Operation operation = operation(route);
              boolean open = operation.getSecurity() != null && operation.getSecurity().isEmpty();
              assertThat(open).as(route.template()).isEqualTo(route.open());
            });
  }

  private static Parameter resolved(Parameter parameter) {
    String ref = parameter.get$ref();
    if (ref == null) {
      return parameter;
    }
    String name = ref.substring(ref.lastIndexOf('/') + 1);
    return Objects.requireNonNull(
        PARSED.getOpenAPI().getComponents().getParameters().get(name), name);
  }

  private static Operation operation(Route route) {
    String name = route.method() + " " + route.template();
    return Objects.requireNonNull(operations().get(name), name);
  }

  private static List<Route> routes() {
    Api.Doors doors =
        new Api.Doors(
            new FakeViesti(),
            CloudEvents.withSystemIds(),
            List::of,
            ApiKeys.of(Map.of("admin", "k")),
            new Metrics());
    ApiSettings settings =
        new ApiSettings(1_024, 1_024, 1, 1_024, Duration.ofSeconds(1), Duration.ofSeconds(1), 1, 1);
    return new Api(doors, settings, Runnable::run).routes();
  }

  private static Map<String, Operation> operations() {
    OpenAPI document = PARSED.getOpenAPI();
    Map<String, Operation> operations = new TreeMap<>();
    document
        .getPaths()
        .forEach(
            (path, item) -> {
              for (Map.Entry<PathItem.HttpMethod, Operation> each :
                  item.readOperationsMap().entrySet()) {
                operations.put(each.getKey() + " " + path, each.getValue());
              }
            });
    return operations;
  }

  private static SwaggerParseResult parse() {
    try (var in = OpenApiTest.class.getResourceAsStream("/dev/viesti/ops/http/openapi.yaml")) {
      assertThat(in).isNotNull();
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      ParseOptions options = new ParseOptions();
      options.setResolve(true);
      return new OpenAPIV3Parser().readContents(text, List.of(), options);
    } catch (IOException broken) {
      throw new AssertionError(broken);
    }
  }
}
