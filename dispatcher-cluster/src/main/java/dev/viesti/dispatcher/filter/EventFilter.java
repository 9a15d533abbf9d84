package dev.viesti.dispatcher.filter;

import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.CelIssue;
import dev.cel.common.CelOptions;
import dev.cel.common.CelValidationException;
import dev.cel.common.CelValidationResult;
import dev.cel.common.types.MapType;
import dev.cel.common.types.SimpleType;
import dev.cel.compiler.CelCompiler;
import dev.cel.compiler.CelCompilerFactory;
import dev.cel.parser.CelStandardMacro;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelRuntime;
import dev.cel.runtime.CelRuntimeFactory;
import dev.cel.runtime.CelVariableResolver;
import dev.cel.validator.CelValidator;
import dev.cel.validator.CelValidatorFactory;
import dev.cel.validator.validators.AstDepthLimitValidator;
import dev.viesti.protocol.event.Event;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A trigger's filter: a boolean expression in <a
 * href="https://github.com/google/cel-spec/blob/master/doc/langdef.md">CEL</a> over {@code id},
 * {@code source}, {@code type}, {@code subject}, {@code time} (strings, {@code ""} when missing),
 * {@code attributes} (the other CloudEvents attributes) and {@code data} (null when there is none
 * or when it is not JSON). Immutable and thread-safe.
 *
 * <p>Whole numbers in {@code data} are CEL ints when they fit into 64 bits; all other numbers are
 * doubles, so that very large ones lose digits.
 *
 * <p>Evaluating takes at most {@link #BUDGET} steps, whatever the filter and the event are: at most
 * a few hundred milliseconds, or about a second where each round of a loop fails.
 */
public final class EventFilter {
  /** Longest filter, in code points: a screen full of text. */
  public static final int LENGTH_MAX = 4_096;

  /** Longest reason of a {@link FilterResult.Failed}. */
  public static final int REASON_MAX = 300;

  /** Steps of one evaluation; {@code data.action == 'opened'} takes about ten. */
  static final long BUDGET = 1_000_000;

  /** Deepest nesting, in the text and in the tree: both are walked by recursion. */
  private static final int NESTING_MAX = 48;

  /** Parts of an expression, after macros have been expanded. */
  private static final int NODES_MAX = 2_000;

  /** Size of a compiled regular expression in RE2's instructions: one for about each character. */
  private static final int REGEX_SIZE_MAX = 256;

  private static final CelOptions OPTIONS =
      CelOptions.current()
          .maxExpressionCodePointSize(LENGTH_MAX)
          .maxParseRecursionDepth(NESTING_MAX)
          .maxParseExpressionNodeCount(NODES_MAX)
          .maxParseErrorRecoveryLimit(1)
          .comprehensionMaxIterations((int) BUDGET)
          .maxRegexProgramSize(REGEX_SIZE_MAX)
          .enableHeterogeneousNumericComparisons(true)
          .build();

  private static final CelCompiler COMPILER =
      CelCompilerFactory.standardCelCompilerBuilder()
          .setOptions(OPTIONS)
          .setStandardMacros(CelStandardMacro.STANDARD_MACROS)
          .addVar("id", SimpleType.STRING)
          .addVar("source", SimpleType.STRING)
          .addVar("type", SimpleType.STRING)
          .addVar("subject", SimpleType.STRING)
          .addVar("time", SimpleType.STRING)
          .addVar("attributes", MapType.create(SimpleType.STRING, SimpleType.DYN))
          .addVar("data", SimpleType.DYN)
          .setResultType(SimpleType.BOOL)
          .build();

  /**
   * Not the planner: that one walks all of {@code data} each time a variable is read, and its
   * listener hears of a value only after that.
   */
  private static final CelRuntime RUNTIME =
      CelRuntimeFactory.legacyCelRuntimeBuilder().setOptions(OPTIONS).build();

  private static final CelValidator VALIDATOR =
      CelValidatorFactory.standardCelValidatorBuilder(COMPILER, RUNTIME)
          .addAstValidators(AstDepthLimitValidator.newInstance(NESTING_MAX))
          .build();

  private final CelRuntime.Program program;
  private final CostPlan plan;

  private EventFilter(CelRuntime.Program program, CostPlan plan) {
    this.program = program;
    this.plan = plan;
  }

  /**
   * @throws InvalidFilterException if it is not CEL, does not give a boolean, or could cost too
   *     much
   */
  public static EventFilter compile(String expression) {
    try {
      CelAbstractSyntaxTree ast = COMPILER.compile(expression).getAst();
      CelValidationResult validation = VALIDATOR.validate(ast);
      if (validation.hasError()) {
        throw new InvalidFilterException(display(validation.getErrors()));
      }
      CostPlan plan = CostPlan.of(ast);
      plan.patterns().values().forEach(EventFilter::checkPattern);
      return new EventFilter(RUNTIME.createProgram(ast), plan);
    } catch (CelValidationException wrong) {
      throw new InvalidFilterException(display(wrong.getErrors()));
    } catch (CelEvaluationException wrong) {
      throw new InvalidFilterException(shortened(String.valueOf(wrong.getMessage())));
    }
  }

  /** Whether the event is for the trigger; a filter that fails does not match. */
  public boolean matches(Event event) {
    return evaluate(EventView.of(event)) instanceof FilterResult.Matched;
  }

  /** The same for an event that several filters look at, and with the reason of a failure. */
  public FilterResult evaluate(EventView event) {
    CostMeter meter = new CostMeter(plan, BUDGET);
    CelVariableResolver variables = name -> Optional.ofNullable(event.variable(name));
    try {
      Object result = program.trace(variables, meter);
      if (meter.exceeded()) {
        return tooCostly();
      }
      return switch (result) {
        case Boolean matched when matched -> new FilterResult.Matched();
        case Boolean notMatched -> new FilterResult.NotMatched();
        default -> new FilterResult.Failed("the filter's result is not a boolean");
      };
    } catch (CelEvaluationException wrong) {
      return meter.exceeded()
          ? tooCostly()
          : new FilterResult.Failed(shortened(String.valueOf(wrong.getMessage())));
    }
  }

  private static FilterResult tooCostly() {
    return new FilterResult.Failed("the filter took more than " + BUDGET + " steps");
  }

  /** CEL finds out only when it evaluates; a filter that can never work is refused instead. */
  private static void checkPattern(String pattern) {
    try {
      PatternCheck.PROGRAM.eval(Map.of("id", pattern));
    } catch (CelEvaluationException wrong) {
      throw new InvalidFilterException(
          "the pattern of matches() cannot be used: "
              + shortened(String.valueOf(wrong.getMessage())));
    }
  }

  /** Apart, so that it is not needed while this class is initialised. */
  private static final class PatternCheck {
    static final CelRuntime.Program PROGRAM = program();

    private static CelRuntime.Program program() {
      try {
        return RUNTIME.createProgram(COMPILER.compile("''.matches(id)").getAst());
      } catch (CelValidationException | CelEvaluationException impossible) {
        throw new IllegalStateException(impossible);
      }
    }
  }

  private static String display(List<CelIssue> issues) {
    return shortened(
        issues.stream()
            .map(
                issue ->
                    issue.getSourceLocation().getLine() < 1
                        ? issue.getMessage()
                        : issue.getMessage()
                            + " (line "
                            + issue.getSourceLocation().getLine()
                            + ", column "
                            + (issue.getSourceLocation().getColumn() + 1)
                            + ")")
            .distinct()
            .collect(Collectors.joining("; ")));
  }

  private static String shortened(String reason) {
    return reason.length() <= REASON_MAX ? reason : reason.substring(0, REASON_MAX - 1) + "…";
  }
}
