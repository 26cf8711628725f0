package rules

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// slowedByTheSpeed tells, of a party that is late, whether it is so only since the rehearsal is faster
// than the page: the run was still making it start or reload, which takes this machine its own time and
// counts as so many times as much on the page. "" where it was late before that began, where it would have
// been at the page's own pace, and where it stayed late afterwards.
func (e *judging) slowedByTheSpeed(f judge.Finding) (how string) {
	if e.Limits.Speed <= 1 || f.Consumer == "" {
		return ""
	}
	due, last := e.dueAt(f), history.Milliseconds(f.LastMS)
	for _, event := range e.Events {
		if event.Kind != history.KindDelivered || event.Service != f.Consumer || event.Began <= 0 || due > event.At {
			continue
		}
		took := event.At - event.Began
		could := event.Began + history.Offset(float64(took)/e.Limits.Speed) // when it would have been done
		if due < could || last > event.At+answerWait {
			continue
		}
		what := "starting " + f.Consumer + " anew"
		if event.What == history.Reload {
			what = "making " + f.Consumer + " reload"
		}
		fits := e.Limits.Speed * (due - event.Began).Duration().Seconds() / took.Duration().Seconds()
		return fmt.Sprintf("%s took %s of real time, from %s to %s of the run: at a speed of %g that counts as %s of the page's, and at the page's own pace %s might not be late; rehearse again at a speed of %.0f or less (`--speed`)",
			what, took.Wall(), event.Began.Wall(), event.At.Wall(), e.Limits.Speed, plan.Text(e.Limits.Page(took.Duration())), f.Consumer, max(1, fits/2))
	}
	return ""
}

// dueAt is when the party of a finding was late: of one that kept the old credential, when its bound ended.
func (e *judging) dueAt(f judge.Finding) history.Offset {
	due := history.Milliseconds(f.FirstMS)
	if v, ok := e.Limits.Validator(f.Consumer); ok && f.RuleID == "revocation" && f.Cause == judge.CauseKeptRevoked {
		due += history.Offset(e.Limits.Wall(e.Limits.G3(v)) + v.Granule)
	}
	return due
}
