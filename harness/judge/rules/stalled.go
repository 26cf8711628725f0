package rules

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// stalled are the parties that a fault froze for longer, in page time, than their callers wait, and
// that answered the waiting requests afterwards. A fault's time is divided by the speed and a time-out
// is not: at the page's own pace nobody would have waited for those answers.
func (e *judging) stalled(felt []judge.Finding) []judge.Finding {
	var findings []judge.Finding
	for _, r := range e.FaultReports() {
		told := slices.ContainsFunc(append(slices.Clone(felt), findings...), func(f judge.Finding) bool {
			return f.Consumer == r.Target || f.Validator == r.Target
		})
		if r.Kind != "pause" || !r.Took || r.UndoneMS < 0 || told {
			continue
		}
		for _, key := range e.View.Keys() {
			if key.Validator != r.Target {
				continue
			}
			timeout := e.timeoutOf(key.Presenter)
			from, until, after := e.silence(key, r)
			frozen := e.Limits.Page((until - from).Duration())
			if after == 0 || frozen <= timeout {
				continue
			}
			findings = append(findings, judge.Finding{
				Level: judge.Error, Presenter: key.Presenter, Validator: r.Target, Consumer: r.Target, Cause: judge.CauseServiceDown,
				CausedBy: r.Kind, FirstPhase: e.PhaseAt(from), FirstMS: from.Milliseconds(), LastMS: until.Milliseconds(), Count: after,
				Message: fmt.Sprintf("%s answered %s nothing for %s, under the fault %s, and then %s: each within the time-out of %s only since the rehearsal is %g times as fast as the page",
					r.Target, key.Presenter, plan.Text(frozen), r.Kind, plan.Counted(after, "attempt"), timeout, e.Limits.Speed),
				Fix: fmt.Sprintf("bring %s back before going on, and rotate only while every party answers", r.Target),
			})
			break
		}
	}
	return findings
}

// timeoutOf is for how long a presenter waits for an answer.
func (e *judging) timeoutOf(presenter string) time.Duration {
	client, _ := e.Limits.Client(presenter)
	return cmp.Or(client.Timeout, contract.ClientTimeout)
}

// silence is the longest time without an answer in a cell during a fault, and how many attempts were
// answered at its end.
func (e *judging) silence(key history.CellKey, r judge.FaultReport) (from, until history.Offset, after int64) {
	injected, undone := history.Milliseconds(r.InjectedMS), history.Milliseconds(r.UndoneMS)
	last, seen := injected, false
	for _, b := range e.View.Buckets(key, injected-evidence.Nearly, undone+2*evidence.BucketWidth) {
		if b.Answered() == 0 {
			continue
		}
		if seen && b.At > injected && b.At-last > until-from {
			from, until, after = last, b.At, b.Answered()
		}
		last, seen = max(injected, b.At+b.Width), true
	}
	return from, until, after
}
