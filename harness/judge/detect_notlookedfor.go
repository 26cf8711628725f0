package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// notLookedFor matches where a validator that fetches for a name that it does not
// know did not: that it had not learned the new key is not why.
func notLookedFor(c *cell) (explanation, bool) {
	v := c.validator
	wait := history.Offset(c.limits.Wall(v.Cooldown) + 2*nearly) // until it would have tried at the latest
	if !c.isFresh() || c.everLearned && c.first >= c.learnedAt || !v.OnMiss || c.last-c.first <= wait {
		return explanation{}, false
	}
	// That it fetches so soon is the page's word where no library is known: where
	// the end was that it learned, that was late.
	if v.Library == "" && c.everLearned && c.last <= c.learnedAt+history.Offset(nearly) {
		return explanation{}, false
	}
	for _, event := range c.events {
		tried := event.Service == v.Name && (event.Kind == history.KindFetched || event.Kind == history.KindFetchFailed)
		if tried && event.At >= c.first-history.Offset(nearly) && event.At <= c.first+wait {
			return explanation{}, false
		}
	}
	return explanation{
		cause: CauseUnknown,
		why: fmt.Sprintf("%s did not fetch the set in the %s after it first met %s, which it does for a name that it does not know: it was refused for something else than its key",
			v.Name, c.page(wait), c.fresh),
		fix: fmt.Sprintf("look into the log of %s from %s on: it says why; hold what is signed with %s against what it takes (algorithm, kid, claims) before emitting",
			v.Name, c.first, c.fresh),
	}, true
}
