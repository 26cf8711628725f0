package learning

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// NotTheKey matches where a validator takes the new key from the harness and refuses, to the end, the
// tokens that an external issuer makes with it: they differ in more than the key.
func NotTheKey(c *cell.Cell) (cell.Explanation, bool) {
	v, emitter := c.Validator, c.EmitterOf(c.Presenter)
	if !c.IsFresh() || !c.LearnedBefore() || v.Authority || emitter == "" || emitter == c.Presenter || len(c.LooksAt(emitter, "")) == 0 {
		return cell.Explanation{}, false // a stand-in's tokens differ in nothing else, except by a fault
	}
	if answer, _ := c.Limits.Answered(c.View, v.Name, c.Fresh, history.Canary); answer != plan.Takes || len(c.Near(c.First, c.Last, emitter, v.Name)) > 0 {
		return cell.Explanation{}, false
	}
	key := c.Key()
	during, after := c.View.Sum(key, c.First-evidence.BucketWidth, c.Last+1), c.View.Sum(key, c.Last+evidence.BucketWidth, c.End+1)
	if before := c.View.Sum(key, 0, c.First-evidence.BucketWidth); before.OK >= evidence.LeastAttempts {
		return cell.Explanation{}, false // it took such tokens before
	}
	if during.AuthFailures < evidence.LeastAttempts || nearlyAll*during.AuthFailures < during.Attempts || after.OK >= evidence.LeastAttempts {
		return cell.Explanation{}, false
	}
	if base := c.Baseline(c.Presenter, v.Name); 2*base.AuthFailures*during.Attempts >= during.AuthFailures*base.Attempts && base.AuthFailures > 0 {
		return cell.Explanation{}, false // it refused as much of the old one's before anything was changed
	}
	return cell.Explanation{
		Cause: judge.CauseNotTheKey, Consumer: emitter,
		Why: fmt.Sprintf("%s takes %s when the harness signs with it, and refuses %d of %d tokens that %s signs with it%s: it is not the key, but something else in these tokens (a scope, an audience, a time, a claim), or a replica that does not have it",
			v.Name, c.Fresh, during.AuthFailures, during.Attempts, emitter, inOtherWords(c)),
		Fix: fmt.Sprintf("compare a token that %s signs with %s with one that it signed with %s, claim by claim, and read what the log of %s says of it; show %s such a token before emitting", emitter, c.Fresh, c.Old, v.Name, v.Name),
	}, true
}

// inOtherWords is the half sentence about a status other than the one for an unknown key.
func inOtherWords(c *cell.Cell) string {
	old := c.View.Said(c.Validator.Name, c.Old, history.OldAfter)
	if !slices.Contains([]string{"401", "403"}, old.Last.Status) || c.Sum.Statuses[old.Last.Status] > 0 {
		return ""
	}
	for status, n := range c.Sum.Statuses {
		if n >= c.Sum.AuthFailures && status != "200" {
			return fmt.Sprintf(", with %s, where it answers %s to a key that it does not have", status, old.Last.Status)
		}
	}
	return ""
}
