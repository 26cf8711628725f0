package switching

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// RevokedEarly matches where a rotator revoked a credential before it had replaced it.
func RevokedEarly(c *cell.Cell) (cell.Explanation, bool) {
	told, early := TellRevokedEarly(c.Evidence)
	return told, early && c.UsedAfter()
}

// TellRevokedEarly tells of a rotator that revoked the old credential before the new one was in use; false
// where it did not.
func TellRevokedEarly(e *evidence.Evidence) (cell.Explanation, bool) {
	revoked, was := e.Done(keyring.Revoke, e.Old)
	emitted, used := e.Begun(keyring.Emit, e.Fresh)
	if !e.Limits.Rotator() || !was || used && emitted <= revoked {
		return cell.Explanation{}, false
	}
	told := cell.Explanation{
		Cause: judge.CauseFlagDay, Consumer: RotatorName, CausedBy: string(keyring.Revoke),
		Why: fmt.Sprintf("the rotator revoked %s and never had %s in use", e.Old, e.Fresh),
		Fix: fmt.Sprintf("have the rotator put the new one into use first, wait for the window (%s), and revoke only when the use of the old one is zero", plan.Text(e.Limits.G2())),
	}
	if used {
		told.Why = fmt.Sprintf("the rotator revoked %s %s before it had %s in use", e.Old, e.Page(emitted-revoked), e.Fresh)
	}
	return told, true
}

// RotatorName is a rotator of the team's own, as the party to look at.
const RotatorName = "rotator"

// NotAccepted matches where a rotator put the new credential into use before it was accepted, or
// without that: validators had nothing to learn.
func NotAccepted(c *cell.Cell) (cell.Explanation, bool) {
	emitted, was := c.Done(keyring.Emit, c.Fresh)
	accepted, done := c.Done(keyring.Accept, c.Fresh)
	if !c.Limits.Rotator() || !was || !c.IsFresh() || done && (accepted <= emitted || c.First > accepted) {
		return cell.Explanation{}, false
	}
	told := cell.Explanation{
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
func RotatorRuns(e *evidence.Evidence, at history.Offset) (runs bool) {
	for _, event := range e.Events {
		if event.Kind == history.KindRotator && event.At <= at {
			runs = event.What == "started"
		}
	}
	return runs
}
