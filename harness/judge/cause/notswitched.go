package cause

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
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

// inPart matches where an emitter presents both credentials to the end, the old one
// though it is revoked: some of what it is has switched, and some has not.
func inPart(c *Cell) (Explanation, bool) {
	emitted, _ := c.Done(string(keyring.Emit), c.Fresh)
	m, emits := c.Limits.Emitter(c.Presenter)
	fresh := c.View.Sum(history.CellKey{Source: c.Limits.Hop, Presenter: c.Presenter, Validator: c.Validator.Name, Credential: c.Fresh}, emitted, c.Last-evidence.BucketWidth)
	if !c.usedAfter() || !c.Validator.Authority || !emits || m.Several || fresh.OK < several || c.Sum.AuthFailures < several || c.FlagDay() || c.Last < c.End-5*evidence.Nearly {
		return Explanation{}, false
	}
	told := c.TellNotSwitched(c.Presenter, 0, false)
	told.Why = fmt.Sprintf("part of %s%s went on with %s after it was revoked, and has presented %s as well (%d times)", c.Presenter, c.OffPage(c.Presenter), c.Old, c.Fresh, fresh.OK)
	told.Fix = fmt.Sprintf("find the part of %s that still has %s (one of its replicas, a second pool, a fallback to the older one), and have it take what is published like the others; revoke only when the use of %s is zero", c.Presenter, c.Old, c.Old)
	return told, true
}

// several is how many of both kinds it takes to tell that they go on side by side.
const several = 2

// TellNotSwitched tells of an emitter that went on with the old credential
// after it was revoked: one that nobody told to switch, or one that was late.
func (e *Case) TellNotSwitched(emitter string, switched history.Offset, ever bool) Explanation {
	told := Explanation{
		Cause: judge.CauseNotSwitched, Consumer: emitter,
		Why: fmt.Sprintf("%s%s went on with %s after it was revoked", emitter, e.OffPage(emitter), e.Old),
		Fix: fmt.Sprintf("put %s on the page and make it read the new credential; revoke only when the use of %s is zero", emitter, e.Old),
	}
	if emitter == history.Somebody {
		told.Fix = fmt.Sprintf("find out who presents %s without a name (its address is in the log of who checks it), have it say one (application_name, User-Agent), put it on the page, and revoke only when the use of %s is zero", e.Old, e.Old)
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
	longAfter := read > 0 && last > read+history.Offset(e.Limits.Wall(m.Refresh+e.Limits.Propagation))+evidence.Nearly
	switch {
	case kept:
		told.Fix = mend
	case longAfter && ever:
		told.Cause = judge.CauseOutlived
		told.Why += fmt.Sprintf("; it read what is published %s after the emit, and presented %s until %s after it: what it made before waits in it, as in a queue, or it uses late what it reads",
			e.Page(read-emitted), e.Old, e.Page(last-emitted))
		told.Fix = fmt.Sprintf("revoke at least %s after the emit (overlap.window), write on the page how long what %s makes is in use (format.longest_life), or have it sign when it sends", e.AtLeast(last-emitted), emitter)
	case longAfter:
		told.Why += fmt.Sprintf("; it read what is published %s after the emit, and presented %s %s after it and never %s: it does not use what it reads, or what it made before waits in it, as in a queue",
			e.Page(read-emitted), e.Old, e.Page(last-emitted), e.Fresh)
		told.Fix = fmt.Sprintf("find out which: have %s use what it reads, or write on the page how long what it makes is in use (format.longest_life) and revoke more than %s after the emit (overlap.window)", emitter, e.AtLeast(last-emitted))
	case m.Refresh == 0:
		told.Fix = fmt.Sprintf("start %s anew as a step of the rollout: it takes what it finds at its start", emitter)
	default:
		told.Fix = fmt.Sprintf("make %s take what is published every %s as the page says", emitter, plan.Text(m.Refresh))
	}
	if e.Limits.Attached() && !ever && !kept {
		told.Fix += fmt.Sprintf(", and see that the step emit gives it %s (it said that it was done)", e.Fresh)
	}
	for _, b := range e.BoundsSeen() {
		if b.Rule == "G2" && b.Party == emitter && !b.Held && !b.Open && b.Needed != runbook.Forever {
			told.Fix += fmt.Sprintf(", or %s: at least %s (%s)", b.Field, plan.Text(b.Needed), strings.Join(b.Seen, ", "))
		}
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
