package rotation

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// leastBudgetWindow is the shortest wall time over which the page's trigger is
// looked at, however fast the run: five buckets of counts.
const leastBudgetWindow = 500 * time.Millisecond

// budget holds the latest counts against the page's trigger: auth failures above a ratio, for a time.
// The ratio must be exceeded over the whole window, with failures in both halves of it, so that one
// refusal of a slow client does not turn a rotation back.
func (r *rotation) budget() error {
	if r.limits.BudgetOver <= 0 || !r.made || r.phase == history.Rollback || r.overBudget {
		return nil
	}
	window := history.Offset(max(r.limits.Wall(r.limits.BudgetFor), leastBudgetWindow))
	var now, failed history.Offset
	r.glance(func(v *history.View) { now, failed = v.Counted[r.limits.JudgedAt], v.Failed[r.limits.JudgedAt] })
	half := now - window/2
	if failed == 0 || failed < half || !r.over(now-window, now) || !r.over(now-window, half) || !r.over(half, now) {
		return nil
	}
	since, who := r.firstFailure()
	why := fmt.Sprintf("%s: auth failures over %.3g%% for %s", who, 100*r.limits.BudgetOver, plan.Text(r.limits.BudgetFor))
	if seen := r.limits.Page(time.Duration(window)); seen > r.limits.BudgetFor {
		why += fmt.Sprintf(" (no less than %s can be told at speed %g)", plan.Text(seen), r.limits.Speed)
	}
	if r.plan.OnBudget == scenario.BudgetRollback {
		return r.decide(history.TriggerBudget, why, since)
	}
	r.overBudget = true
	r.record(history.Event{Kind: history.KindDecision, Phase: r.phase, Decision: &history.Decision{
		Action: history.ActionRecord, Trigger: history.TriggerBudget, Why: why, Since: since,
	}})
	return nil
}

// over reports whether any presenter's auth failures exceed the ratio in [from, to).
func (r *rotation) over(from, to history.Offset) bool {
	type figures struct{ attempts, failures int64 }
	sums := map[[2]string]figures{}
	r.see(func(v *history.View) {
		for key := range v.Cells {
			if key.Source != r.limits.JudgedAt {
				continue
			}
			c := v.Sum(key, from, to)
			f := sums[[2]string{key.Presenter, key.Validator}]
			sums[[2]string{key.Presenter, key.Validator}] = figures{f.attempts + c.Attempts, f.failures + c.AuthFailures}
		}
	})
	for _, f := range sums {
		if f.failures > 0 && float64(f.failures) > r.limits.BudgetOver*float64(f.attempts) {
			return true
		}
	}
	return false
}

// firstFailure is the first auth failure since the new credential was made, and where.
func (r *rotation) firstFailure() (history.Offset, string) {
	first, who := r.world.History.Offset(), "auth failures"
	r.see(func(v *history.View) {
		for _, key := range v.Keys() {
			if key.Source != r.limits.JudgedAt {
				continue
			}
			c := v.Sum(key, v.PhaseStart[history.Accept], v.Now+1)
			if c.AuthFailures > 0 && c.FirstFailure < first {
				first, who = c.FirstFailure, fmt.Sprintf("%s at %s", key.Presenter, key.Validator)
			}
		}
	})
	return first, who
}
