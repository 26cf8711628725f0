package cause

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// notLookedFor matches where a validator that fetches for a name that it does not
// know did not: that it had not learned the new key is not why.
func notLookedFor(c *Cell) (Explanation, bool) {
	v := c.Validator
	wait := history.Offset(c.Limits.Wall(v.Cooldown)) + 2*evidence.Nearly // until it would have tried at the latest
	if !c.isFresh() || c.EverLearned && c.First >= c.LearnedAt || !v.OnMiss || c.Last-c.First <= wait {
		return Explanation{}, false
	}
	// That it fetches so soon is the page's word where no library is known: where
	// the end was that it learned, that was late.
	if v.Library == "" && c.EverLearned && c.Last <= c.LearnedAt+evidence.Nearly {
		return Explanation{}, false
	}
	for _, event := range c.About(v.Name) {
		tried := event.Kind == history.KindFetched || event.Kind == history.KindFetchFailed
		for at := range event.Times() {
			if tried && at >= c.First-evidence.Nearly && at <= c.First+wait {
				return Explanation{}, false
			}
		}
	}
	return Explanation{
		Cause: judge.CauseUnknown,
		Why: fmt.Sprintf("%s did not fetch the set in the %s after it first met %s, which it does for a name that it does not know: it was refused for something else than its key",
			v.Name, c.Page(wait), c.Fresh),
		Fix: fmt.Sprintf("look into the log of %s from %s on: it says why; hold what is signed with %s against what it takes (algorithm, kid, claims) before emitting",
			v.Name, c.First, c.Fresh),
	}, true
}
