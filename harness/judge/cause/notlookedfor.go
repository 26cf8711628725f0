package cause

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// notLookedFor matches where a validator that fetches for unknown names did not fetch: it refused for
// another reason than not having learned the key.
func notLookedFor(c *Cell) (Explanation, bool) {
	v := c.Validator
	wait := history.Offset(c.Limits.Wall(v.Cooldown)) + 2*evidence.Nearly // its latest time to try
	if !c.isFresh() || c.EverLearned && c.First >= c.LearnedAt || !v.OnMiss || c.Last-c.First <= wait {
		return Explanation{}, false
	}
	// Without a known library, only the page says that it fetches so soon: refusals that ended with its
	// learning were late learning.
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
		Why: fmt.Sprintf("%s did not fetch the set in the %s after it first met %s, as it does for an unknown kid: something other than the key was refused",
			v.Name, c.Page(wait), c.Fresh),
		Fix: fmt.Sprintf("look into the log of %s from %s on: it says why; compare what is signed with %s with what it takes (algorithm, kid, claims) before emitting",
			v.Name, c.Moment(c.First), c.Fresh),
	}, true
}
