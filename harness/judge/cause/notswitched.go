package cause

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// notSwitched matches where an emitter went on with the old credential after it
// was revoked.
func notSwitched(c *Cell) (Explanation, bool) {
	// From its beginning on: who switches because an authority refuses has not
	// switched in time.
	revoked, _ := c.Begun(string(keyring.Revoke), c.Old)
	emitter := c.EmitterOf(c.Presenter)
	switched, ever := c.View.Switched[emitter][c.Fresh]
	if !c.usedAfter() || ever && (switched <= revoked || c.FlagDay()) {
		return Explanation{}, false
	}
	return c.TellNotSwitched(emitter, switched, ever), true
}

// TellNotSwitched tells of an emitter that went on with the old credential
// after it was revoked: one that nobody told to switch, or one that was late.
func (e *Case) TellNotSwitched(emitter string, switched history.Offset, ever bool) Explanation {
	told := Explanation{
		Cause: judge.CauseNotSwitched, Consumer: emitter,
		Why: fmt.Sprintf("%s%s went on with %s after it was revoked", emitter, e.OffPage(emitter), e.Old),
		Fix: fmt.Sprintf("put %s on the page and make it read the new credential; revoke only when the use of %s is zero", emitter, e.Old),
	}
	m, _ := e.Limits.Emitter(emitter)
	if !m.OnPage {
		return told
	}
	emitted, was := e.Done(string(keyring.Emit), e.Fresh)
	if was && ever {
		told.Why += fmt.Sprintf("; it switched %s after it was told to", e.Page(switched-emitted))
	}
	mend, kept := e.MendWhatKept(emitter, "the new credential", emitted)
	switch {
	case kept:
		told.Fix = mend
	case m.Refresh == 0:
		told.Fix = fmt.Sprintf("start %s anew as a step of the rollout: it takes what it finds at its start", emitter)
	default:
		told.Fix = fmt.Sprintf("make %s take what is published every %s as the page says", emitter, plan.Text(m.Refresh))
	}
	told.Fix += fmt.Sprintf("; revoke only when the use of %s is zero", e.Old)
	return told
}
