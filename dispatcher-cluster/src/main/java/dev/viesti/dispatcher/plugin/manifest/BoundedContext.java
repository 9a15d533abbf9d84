package dev.viesti.dispatcher.plugin.manifest;

import com.networknt.schema.Error;
import com.networknt.schema.ExecutionContext;

/** Charges the validator's steps to a budget: it passes here before and after each keyword. */
final class BoundedContext extends ExecutionContext {
  private final CheckBudget budget;

  BoundedContext(CheckBudget budget) {
    this.budget = budget;
  }

  @Override
  public void evaluationPathAddLast(String step) {
    budget.enter();
    super.evaluationPathAddLast(step);
  }

  @Override
  public void evaluationPathAddLast(int step) {
    budget.enter();
    super.evaluationPathAddLast(step);
  }

  @Override
  public void evaluationPathRemoveLast() {
    budget.leave();
    super.evaluationPathRemoveLast();
  }

  @Override
  public void addError(Error error) {
    budget.fault();
    super.addError(error);
  }
}
