package dev.viesti.dispatcher.filter;

import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.CelSource;
import dev.cel.common.ast.CelConstant;
import dev.cel.common.ast.CelExpr;
import dev.cel.common.ast.CelExpr.CelCall;
import dev.cel.common.navigation.CelNavigableAst;
import dev.cel.common.navigation.CelNavigableExpr;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which parts of an expression cost more than one step, by the id of the part. Every part costs one
 * step when it has been evaluated; an argument of a function costs what the function may look at.
 *
 * @param charges what is paid on top, by id
 * @param haystacks for each {@link Charge#NEEDLE} its {@link Charge#HAYSTACK}
 * @param patterns the regular expressions, by the id of the literal
 */
record CostPlan(Map<Long, Charge> charges, Map<Long, Long> haystacks, Map<Long, String> patterns) {
  /** How the value of a part is charged. */
  enum Charge {
    /** By all that is in it: equality, {@code in}, conversions, concatenation look at it all. */
    WHOLE,
    /** It is asked before each round of a loop. */
    ROUND,
    /** It is searched by a regular expression: each character costs up to the program's size. */
    SEARCHED,
    /** It is the text in which another is looked for: remembered until the other is known. */
    HAYSTACK,
    /** It is looked for in the text that was evaluated before it: the product of the lengths. */
    NEEDLE
  }

  /** Look at one of their arguments or at its head only. */
  private static final Set<String> CHEAP =
      Set.of(
          "_&&_",
          "_||_",
          "!_",
          "_?_:_",
          "-_",
          "@not_strictly_false",
          "__not_strictly_false__",
          "type",
          "dyn",
          "size");

  static CostPlan of(CelAbstractSyntaxTree ast) {
    CostPlan plan = new CostPlan(new HashMap<>(), new HashMap<>(), new HashMap<>());
    for (CelNavigableExpr node :
        (Iterable<CelNavigableExpr>) CelNavigableAst.fromAst(ast).getRoot().allNodes()::iterator) {
      CelExpr expr = node.expr();
      switch (expr.getKind()) {
        case CALL -> plan.add(ast.getSource(), expr.call());
        case MAP ->
            // A key is hashed with all that is in it.
            expr.map().entries().forEach(entry -> plan.charges.put(entry.key().id(), Charge.WHOLE));
        case COMPREHENSION ->
            plan.charges.put(expr.comprehension().loopCondition().id(), Charge.ROUND);
        case NOT_SET, CONSTANT, IDENT, SELECT, LIST, STRUCT -> {
          // one step
        }
      }
    }
    return new CostPlan(
        Map.copyOf(plan.charges), Map.copyOf(plan.haystacks), Map.copyOf(plan.patterns));
  }

  private void add(CelSource source, CelCall call) {
    List<CelExpr> parts = new ArrayList<>();
    call.target().ifPresent(parts::add);
    parts.addAll(call.args());
    switch (call.function()) {
      case "matches" -> {
        CelExpr pattern = parts.get(1);
        if (pattern.getKind() != CelExpr.ExprKind.Kind.CONSTANT
            || pattern.constant().getKind() != CelConstant.Kind.STRING_VALUE) {
          throw new InvalidFilterException(
              "the pattern of matches() must be a string in the filter itself"
                  + position(source, pattern));
        }
        patterns.put(pattern.id(), pattern.constant().stringValue());
        charges.put(parts.get(0).id(), Charge.SEARCHED);
      }
      case "contains" -> {
        charges.put(parts.get(0).id(), Charge.HAYSTACK);
        charges.put(parts.get(1).id(), Charge.NEEDLE);
        haystacks.put(parts.get(1).id(), parts.get(0).id());
      }
      case "_[_]" -> charges.put(parts.get(1).id(), Charge.WHOLE);
      default -> {
        if (!CHEAP.contains(call.function()) && !growsResult(call)) {
          parts.forEach(part -> charges.put(part.id(), Charge.WHOLE));
        }
      }
    }
  }

  /** {@code map} and {@code filter} append to their result, which is a view and not copied. */
  private static boolean growsResult(CelCall call) {
    if (!call.function().equals("_+_") || call.args().isEmpty()) {
      return false;
    }
    CelExpr first = call.args().get(0);
    return first.getKind() == CelExpr.ExprKind.Kind.IDENT && first.ident().name().startsWith("@");
  }

  /** Where a part stands, as a suffix for a message. */
  static String position(CelSource source, CelExpr expr) {
    Integer offset = source.getPositionsMap().get(expr.id());
    if (offset == null) {
      return "";
    }
    return source
        .getOffsetLocation(offset)
        .map(place -> " (line " + place.getLine() + ", column " + (place.getColumn() + 1) + ")")
        .orElse("");
  }
}
