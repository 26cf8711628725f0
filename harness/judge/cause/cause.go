package cause

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// Explain finds out, from what happened, why a cell was refused: with which step it began, by which
// mechanism, which party to look at, and what to change.
func Explain(e *evidence.Evidence, key history.CellKey, sum *history.Counts) judge.Finding {
	c := cell.Refusal(e, key, sum)
	told, found := Detect(c)
	if !found {
		told = unknown(c)
	}
	if told.Cause == judge.CauseUnknown {
		told = c.UnderAFault(told)
	}
	f := judge.Finding{
		Presenter: key.Presenter, Validator: key.Validator, Consumer: key.Validator, Credential: key.Credential,
		CausedBy: c.CausedBy, FirstPhase: e.PhaseAt(sum.FirstFailure),
		FirstMS: sum.FirstFailure.Milliseconds(), LastMS: sum.LastFailure.Milliseconds(), Count: sum.AuthFailures,
	}
	told.Apply(&f)
	f.Message = fmt.Sprintf("%s was refused %s by %s with %s: %s%s",
		key.Presenter, plan.Counted(sum.AuthFailures, "time"), key.Validator, key.Credential, told.Why+ItsLog(c, told.Cause != judge.CauseUnknown), e.Cite(e.Disturbing(key, c.Validator, sum)))
	return f
}

// lookIntoTheLog is the cure where only the beginning is known.
func lookIntoTheLog(c *cell.Cell) string {
	return fmt.Sprintf("look into the log of %s from %s on", c.Validator.Name, c.Moment(c.First))
}
