package switching

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// WithdrawnInUse matches where a new credential was withdrawn before what had been made with it was out
// of use.
func WithdrawnInUse(c *cell.Cell) (cell.Explanation, bool) {
	withdrawn, ok := c.Done(keyring.Withdraw, c.Fresh)
	if !ok || !c.IsFresh() || c.Presenter == "" || c.First < withdrawn-evidence.Nearly {
		return cell.Explanation{}, false
	}
	emitter := c.EmitterOf(c.Presenter)
	switched, told, ever := switchedBack(c.Evidence, emitter)
	if !ever || switched > withdrawn {
		return tellNotBack(c.Evidence, emitter, told, switched, ever), true
	}
	return cell.Explanation{
		Cause: judge.CauseOutlived, Consumer: c.Presenter,
		Why: fmt.Sprintf("what was made with %s outlived it: %s was withdrawn %s after %s switched back, and was in use for %s",
			c.Fresh, c.Fresh, c.Page(withdrawn-switched), emitter, c.Page(c.Last-switched)),
		Fix: fmt.Sprintf("withdraw %s at least %s after the last emitter switched back; where it is compromised, and cannot stay, have its holders renew at once",
			c.Fresh, plan.Text(max(c.Limits.G2(), c.Limits.Page((c.Last-switched).Duration()).Round(time.Second)))),
	}, true
}

// switchedBack is when an emitter went back to the old credential after it was told to: by its log or,
// where it presents itself, by what it presented. Where nothing shows that, it is when it was told.
func switchedBack(e *evidence.Evidence, emitter string) (at, told history.Offset, ever bool) {
	for _, event := range e.Events {
		if event.Kind == history.KindStep && event.Step == string(keyring.Emit) && event.Credential == e.Old && event.Phase == history.Rollback && event.Detail == "" {
			told = event.At
		}
	}
	if switched, said := e.View.Switched[emitter][e.Old]; said && switched > told-evidence.Nearly {
		return switched, told, true
	}
	presents := false
	for _, key := range e.JudgedCells() {
		if key.Presenter != emitter {
			continue
		}
		presents = true
		for _, b := range e.View.Buckets(key, told, e.End+1) {
			if key.Credential == e.Old && b.Answered() > 0 && (!ever || b.At < at) {
				at, ever = b.At, true
			}
		}
	}
	if !presents { // others present its tokens
		return told, told, true
	}
	return at, told, ever
}

// tellNotBack tells of an emitter that presented the new credential when it was withdrawn, and the old
// one only later or never.
func tellNotBack(e *evidence.Evidence, emitter string, told, switched history.Offset, ever bool) cell.Explanation {
	when := fmt.Sprintf("was not seen with %s again", e.Old)
	if ever {
		when = fmt.Sprintf("went back to %s only %s after the step emit-back, when %s had been withdrawn", e.Old, e.Page(switched-told), e.Fresh)
	}
	return cell.Explanation{
		Cause: judge.CauseNotSwitched, Consumer: emitter, CausedBy: string(keyring.Withdraw),
		Why: fmt.Sprintf("%s %s: it does not use what was emitted, or it still sends what it made before, as from a queue", emitter, when),
		Fix: fmt.Sprintf("have %s use the credential that was emitted, not the newest that is published; or, if it queues what it makes, write on the page for how long (format.longest_life): withdraw %s only when its use is zero", emitter, e.Fresh),
	}
}

// NotSwitchedBack matches where an emitter never went back to the old credential before
// the new one was withdrawn.
func NotSwitchedBack(c *cell.Cell) (cell.Explanation, bool) {
	withdrawn, ok := c.Done(keyring.Withdraw, c.Fresh)
	emitter := c.EmitterOf(c.Presenter)
	emitted, was := c.Done(keyring.Emit, c.Fresh)
	if !ok || !was || !c.IsFresh() || c.Presenter == "" || c.First < withdrawn-evidence.Nearly ||
		c.View.Emitting[emitter] != c.Fresh || c.View.Switched[emitter][c.Old] > emitted {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseNotSwitched, Consumer: emitter, CausedBy: string(keyring.Withdraw),
		Why: fmt.Sprintf("%s never went back to %s, and went on with %s after it was withdrawn", emitter, c.Old, c.Fresh),
		Fix: fmt.Sprintf("look at what is to make %s use %s again on the way back (the step emit-back, which reported success): withdraw %s only when its use is zero", emitter, c.Old, c.Fresh),
	}, true
}
