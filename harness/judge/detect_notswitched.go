package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// notSwitched matches where an emitter went on with the old credential after it
// was revoked.
func notSwitched(c *cell) (explanation, bool) {
	// From its beginning on: who switches because an authority refuses has not
	// switched in time.
	revoked, _ := c.begun(string(keyring.Revoke), c.old)
	emitter := c.emitterOf(c.presenter)
	switched, ever := c.view.Switched[emitter][c.fresh]
	if !c.usedAfter() || ever && (switched <= revoked || c.flagDay()) {
		return explanation{}, false
	}
	return c.tellNotSwitched(emitter, switched, ever), true
}

// tellNotSwitched tells of an emitter that went on with the old credential
// after it was revoked: one that nobody told to switch, or one that was late.
func (e *evidence) tellNotSwitched(emitter string, switched history.Offset, ever bool) explanation {
	told := explanation{
		cause: CauseNotSwitched, consumer: emitter,
		why: fmt.Sprintf("%s%s went on with %s after it was revoked", emitter, e.offPage(emitter), e.old),
		fix: fmt.Sprintf("put %s on the page and make it read the new credential; revoke only when the use of %s is zero", emitter, e.old),
	}
	m, _ := e.limits.Emitter(emitter)
	if !m.OnPage {
		return told
	}
	emitted, was := e.done(string(keyring.Emit), e.fresh)
	if was && ever {
		told.why += fmt.Sprintf("; it switched %s after it was told to", e.page(switched-emitted))
	}
	mend, kept := e.mendWhatKept(emitter, "the new credential", emitted)
	switch {
	case kept:
		told.fix = mend
	case m.Refresh == 0:
		told.fix = fmt.Sprintf("start %s anew as a step of the rollout: it takes what it finds at its start", emitter)
	default:
		told.fix = fmt.Sprintf("make %s take what is published every %s as the page says", emitter, plan.Text(m.Refresh))
	}
	told.fix += fmt.Sprintf("; revoke only when the use of %s is zero", e.old)
	return told
}
