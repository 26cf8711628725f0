package cause

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
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
	read, last := e.readSince(emitter, emitted), e.lastUse(emitter)
	longAfter := read > 0 && last > read+history.Offset(e.Limits.Wall(m.Refresh+e.Limits.Propagation))+history.Offset(evidence.Nearly)
	switch {
	case kept:
		told.Fix = mend
	case longAfter && ever:
		told.Cause = judge.CauseOutlived
		told.Why += fmt.Sprintf("; it read what is published %s after the emit, and presented %s until %s after it: what it made before waits in it, as in a queue, or it uses late what it reads",
			e.Page(read-emitted), e.Old, e.Page(last-emitted))
		told.Fix = fmt.Sprintf("revoke at least %s after the emit (overlap.window), write on the page how long what %s makes is in use (format.longest_life), or have it sign when it sends", e.AtLeast(last-emitted), emitter)
	case longAfter:
		told.Why += fmt.Sprintf("; it read what is published %s after the emit, and never presented %s", e.Page(read-emitted), e.Fresh)
		told.Fix = fmt.Sprintf("find out why %s does not use what it reads", emitter)
	case m.Refresh == 0:
		told.Fix = fmt.Sprintf("start %s anew as a step of the rollout: it takes what it finds at its start", emitter)
	default:
		told.Fix = fmt.Sprintf("make %s take what is published every %s as the page says", emitter, plan.Text(m.Refresh))
	}
	told.Fix += fmt.Sprintf("; revoke only when the use of %s is zero", e.Old)
	return told
}

// readSince is when an emitter first read what is published after a moment, as far as
// that is told of one that reads by itself; 0: it did not, or nobody tells.
func (e *Case) readSince(emitter string, since history.Offset) history.Offset {
	for _, event := range e.Events {
		if event.Kind == history.KindRead && event.Reader == emitter && event.What != keySet && event.At > since {
			return event.At
		}
	}
	return 0
}

// lastUse is when an emitter presented the old credential for the last time.
func (e *Case) lastUse(emitter string) (last history.Offset) {
	for _, key := range e.Hop() {
		if key.Presenter == emitter && key.Credential == e.Old {
			for _, b := range e.View.Buckets(key, e.Start, e.End+1) {
				last = max(last, b.At+b.Width)
			}
		}
	}
	return last
}
