package rules

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// ledger holds when effects equal intents: everything that callers were told is done was done exactly
// once, and nothing else was.
func ledger(e *judging) (judge.Outcome, string, []judge.Finding) {
	if e.Ledger == nil {
		return judge.Skipped, "this secret's consumers have no ledger", nil
	}
	var findings []judge.Finding
	for _, wrong := range e.Ledger.Irregular {
		findings = append(findings, e.explainOrders(wrong))
	}
	l := e.Ledger
	switch {
	case len(findings) > 0:
		return judge.Fail, fmt.Sprintf("callers were told of %d orders that they are done, and %d were done", l.Done, l.Effects), findings
	case l.Effects != l.Done:
		return judge.Inconclusive, fmt.Sprintf("callers were told of %d orders that they are done, %d were done, and nothing shows which", l.Done, l.Effects), nil
	case l.Orders == 0 && l.Untold > 0:
		return judge.Pass, fmt.Sprintf("%d orders were done, none twice; the callers do not log what they ordered", l.Untold), nil
	case l.Orders == 0:
		return judge.Inconclusive, "nothing was ordered", nil
	}
	told := fmt.Sprintf("callers were told of %d orders that they are done, and each was done once%s", l.Done, e.replayed())
	if l.Untold > 0 {
		told += fmt.Sprintf("; %d more were done for services that do not tell what they ordered", l.Untold)
	}
	return judge.Pass, told, nil
}

// replayed is the half sentence about retries that did no harm.
func (e *judging) replayed() string {
	if e.Ledger.Replayed == 0 {
		return ""
	}
	return fmt.Sprintf("; an idempotency key kept %d retries from doing it again", e.Ledger.Replayed)
}

// explainOrders tells what happened to irregular orders, and what to change.
func (e *judging) explainOrders(wrong history.Irregular) judge.Finding {
	f := judge.Finding{
		Level: judge.Error, Presenter: wrong.Presenter, Validator: wrong.Validator, Consumer: wrong.Presenter, Credential: wrong.Credential,
		CausedBy: e.LastStep(wrong.First), FirstPhase: e.PhaseAt(wrong.First), Cause: judge.CauseUnknown,
		FirstMS: wrong.First.Milliseconds(), LastMS: wrong.Last.Milliseconds(), Count: wrong.Count,
	}
	if r, ok := e.FaultBetween(wrong.Presenter, wrong.Validator, wrong.First); ok {
		f.CausedBy = r.Kind
	}
	switch wrong.What {
	case history.DoneTwice:
		e.explainTwice(&f, wrong)
	case history.Unconfirmed:
		f.Cause = judge.CauseAfterEffect
		f.Message = fmt.Sprintf("%s did %s of %s with %s and answered %s: the callers were told that it failed, or nothing",
			wrong.Validator, plan.Counted(wrong.Count, "order"), wrong.Presenter, wrong.Credential, answer(wrong.Was))
		f.Fix = fmt.Sprintf("have %s ask for the same again under the same idempotency key before it says that it failed", wrong.Presenter)
	default:
		f.Message = fmt.Sprintf("%s said of %s that it was done, and %s did not do it", wrong.Presenter, plan.Counted(wrong.Count, "order"), wrong.Validator)
		f.Fix = fmt.Sprintf("look into the logs of %s and %s", wrong.Presenter, wrong.Validator)
	}
	return f
}

// explainTwice distinguishes a retry that could not be recognised as one from a retry that the change
// of credential hid.
func (e *judging) explainTwice(f *judge.Finding, wrong history.Irregular) {
	f.Cause = judge.CauseNotIdempotent
	f.Message = fmt.Sprintf("%s did %s of %s twice: it tried again with %s what had been done with %s and answered %s",
		wrong.Validator, plan.Counted(wrong.Count, "order"), wrong.Presenter, wrong.Credential, wrong.Earlier, answer(wrong.Was))
	switch {
	case !wrong.Idempotent:
		f.Message += ", and no idempotency key said that it was the same"
		f.Fix = fmt.Sprintf("have %s send an idempotency key with every order, the same for each attempt", wrong.Presenter)
	case wrong.Earlier != wrong.Credential:
		f.Cause = judge.CauseKeyScoped
		f.Message += fmt.Sprintf("; %s knows an idempotency key only together with the credential", wrong.Validator)
		f.Fix = fmt.Sprintf("have %s try again with the credential of the first attempt, and keep %s accepted until nothing that was begun with it is retried",
			wrong.Presenter, wrong.Earlier)
	default:
		f.Message += fmt.Sprintf("; %s got an idempotency key and ignored it", wrong.Validator)
		f.Fix = fmt.Sprintf("have %s ask %s what became of an order before it tries again", wrong.Presenter, wrong.Validator)
	}
}

// answer names a status.
func answer(status string) string {
	switch status {
	case "":
		return "nobody"
	case "401", "403":
		return "with a refusal (" + status + ")"
	}
	return "with " + status
}

// ledgerFigures are those of result.json.
func (e *judging) ledgerFigures() map[string]int64 {
	figures := map[string]int64{}
	if e.Ledger == nil {
		return figures
	}
	l := e.Ledger
	figures["orders"], figures["told to be done"], figures["done"], figures["retries replayed"] = l.Orders, l.Done, l.Effects, l.Replayed
	for _, wrong := range l.Irregular {
		figures[wrong.What] += wrong.Count
	}
	return figures
}
