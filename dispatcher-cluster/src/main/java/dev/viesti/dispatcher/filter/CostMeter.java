package dev.viesti.dispatcher.filter;

import dev.cel.common.ast.CelExpr;
import dev.cel.runtime.CelEvaluationListener;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Counts the steps of one evaluation and stops it. The evaluator tells it about each value before
 * anything is done with that value, so what a function may do is paid before it does it.
 *
 * <p>Once the budget is used up every further step throws, too: CEL's {@code ||} and {@code exists}
 * forgive an error when another branch is true, and must not get further with this one.
 */
final class CostMeter implements CelEvaluationListener {
  /** A regular expression of the largest size costs about this many steps per character. */
  private static final int STEPS_PER_SEARCHED_CHARACTER = 4;

  /** A round may fail, and an exception takes much longer than a step. */
  private static final int STEPS_PER_ROUND = 5;

  /** CEL compiles the pattern anew for each call. */
  private static final int STEPS_PER_PATTERN = 200;

  /** Characters compared in the time of one step while a text is looked for in another. */
  private static final int COMPARED_PER_STEP = 64;

  private final CostPlan plan;
  private final long budget;
  private long spent;

  /** Lengths of the texts in which others are about to be looked for, by the id of the part. */
  private final Map<Long, Integer> haystacks = new HashMap<>(2);

  CostMeter(CostPlan plan, long budget) {
    this.plan = plan;
    this.budget = budget;
  }

  boolean exceeded() {
    return spent > budget;
  }

  @Override
  public void callback(CelExpr expr, Object value) {
    spend(1);
    if (builds(expr) && !(value instanceof DataTree.Weighed)) {
      // One part may be in it many times over: what cannot be walked must never come to be.
      weigh(value);
    }
    CostPlan.Charge charge = plan.charges().get(expr.id());
    if (charge != null) {
      pay(charge, expr.id(), value);
    }
  }

  private void pay(CostPlan.Charge charge, long id, Object value) {
    switch (charge) {
      case WHOLE -> weigh(value);
      case ROUND -> spend(STEPS_PER_ROUND);
      case SEARCHED ->
          spend(STEPS_PER_PATTERN + (long) length(value) * STEPS_PER_SEARCHED_CHARACTER);
      case HAYSTACK -> haystacks.put(id, length(value));
      case NEEDLE -> {
        long haystack = haystacks.getOrDefault(plan.haystacks().get(id), 1);
        spend(haystack * length(value) / COMPARED_PER_STEP);
      }
    }
  }

  private static boolean builds(CelExpr expr) {
    return switch (expr.getKind()) {
      case LIST, MAP, COMPREHENSION -> true;
      case NOT_SET, CONSTANT, IDENT, SELECT, CALL, STRUCT -> false;
    };
  }

  private static int length(Object value) {
    return value instanceof String text ? text.length() : 1;
  }

  /** Pays for all that is in a value; walks what the expression built, and no further than paid. */
  private void weigh(Object value) {
    switch (value) {
      case DataTree.Weighed known -> spend(known.weight());
      case String text -> spend(DataTree.weightOfText(text.length()));
      case List<?> list -> {
        for (Object element : list) {
          spend(1);
          weigh(element);
        }
      }
      case Map<?, ?> map -> {
        for (Map.Entry<?, ?> entry : (Set<? extends Map.Entry<?, ?>>) map.entrySet()) {
          spend(1);
          weigh(entry.getKey());
          weigh(entry.getValue());
        }
      }
      default -> spend(1);
    }
  }

  private void spend(long steps) {
    spent += steps;
    if (spent > budget) {
      throw new BudgetExceededException();
    }
  }

  /** Stops an evaluation. */
  static final class BudgetExceededException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    BudgetExceededException() {
      super("budget used up", null, false, false);
    }
  }
}
