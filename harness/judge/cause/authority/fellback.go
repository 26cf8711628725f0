package authority

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// FellBack matches where a presenter goes on with the old credential after the revoke because nobody
// takes the new one.
func FellBack(c *cell.Cell) (cell.Explanation, bool) {
	told, fell := TellFellBack(c.Evidence, c.Presenter, c.Validator.Name)
	return told, fell && c.UsedAfter()
}

// TellFellBack tells of a presenter that has shown the new credential to an authority since the emit and
// was always refused, as everybody was: it did switch, and falls back to the old one. False where that
// was not seen.
func TellFellBack(e *evidence.Evidence, presenter, authority string) (cell.Explanation, bool) {
	v, _ := e.Limits.Validator(authority)
	emitted, used := e.Done(keyring.Emit, e.Fresh)
	if !v.Authority || v.Keys == 1 || !used {
		return cell.Explanation{}, false
	}
	shown := e.Presentations(presenter, authority, e.Fresh, emitted-evidence.Nearly, e.End+1)
	canary, after := e.View.Said(authority, e.Fresh, history.Canary), e.View.Said(authority, e.Fresh, history.NewAfter)
	if _, took := e.LastTook(authority); took || shown.AuthFailures < evidence.LeastBeside || canary.Refused+after.Refused == 0 {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseWithoutEffect, Consumer: authority, CausedBy: string(keyring.Accept),
		Why: fmt.Sprintf("%s presents %s since the emit, %s has never taken it from anybody, and %s falls back to %s", presenter, e.Fresh, authority, presenter, e.Old),
		Fix: fmt.Sprintf("have %s really accepted at %s first (check what the step accept does there): the fallback of %s hides this until %s is revoked", e.Fresh, authority, presenter, e.Old),
	}, true
}
