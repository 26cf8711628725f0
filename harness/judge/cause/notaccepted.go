package cause

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// RotatorName is a rotator of the team's own, as the party to look at.
const RotatorName = "rotator"

// notAccepted matches where a rotator put the new credential into use before it was accepted, or
// without that: validators had nothing to learn.
func notAccepted(c *Cell) (Explanation, bool) {
	emitted, was := c.Done(string(keyring.Emit), c.Fresh)
	accepted, done := c.Done(string(keyring.Accept), c.Fresh)
	if !c.Limits.Rotator() || !was || !c.isFresh() || done && (accepted <= emitted || c.First > accepted) {
		return Explanation{}, false
	}
	told := Explanation{
		Cause: judge.CauseNotAccepted, Consumer: RotatorName,
		Why: fmt.Sprintf("the rotator had %s in use, and it was never seen to be accepted: what is in use is not what %s was given", c.Fresh, c.Validator.Name),
		Fix: fmt.Sprintf("have the rotator show %s to %s before it has it in use, and fail where it is refused", c.Fresh, c.Validator.Name),
	}
	if done {
		told.Why = fmt.Sprintf("the rotator had %s in use %s before it was accepted", c.Fresh, c.Page(accepted-emitted))
		told.Fix = "have the rotator accept first: " + told.Fix
	}
	return told, true
}

// RotatorRuns reports whether a rotator was running at a moment.
func (e *Case) RotatorRuns(at history.Offset) (runs bool) {
	for _, event := range e.Events {
		if event.Kind == history.KindRotator && event.At <= at {
			runs = event.What == "started"
		}
	}
	return runs
}
