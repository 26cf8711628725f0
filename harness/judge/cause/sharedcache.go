package cause

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// sharedCache matches where a validator fetched after the new credential was published, and a cache on
// the way answered with an old set.
func sharedCache(c *Cell) (Explanation, bool) {
	via, at, ok := c.staleAnswer()
	if !ok || !c.late() {
		return Explanation{}, false
	}
	return Explanation{
		Cause: judge.CauseSharedCache, Consumer: via,
		Why: fmt.Sprintf("%s fetched the set %s after %s was accepted and was answered with an old one from %s%s", c.Validator.Name, c.Page(at-c.Accepted), c.Fresh, via, c.until()),
		Fix: fmt.Sprintf("make %s expire its copy sooner, or purge it after accepting; else %s", via, c.fixLead()),
	}, true
}

// staleAnswer is the first fetch after the new credential was published that brought a set without it,
// and who answered.
func (c *Cell) staleAnswer() (via string, at history.Offset, ok bool) {
	for _, fetch := range c.Fetches(c.Validator.Name, max(c.Accepted, c.Published), c.Last) {
		if !slices.Contains(fetch.Credentials, c.Fresh) && fetch.From != c.Validator.From && !c.relays(fetch.From) {
			return fetch.From, fetch.At, true
		}
	}
	return "", 0, false
}

// relays reports whether a party on the way keeps nothing of what it hands on.
func (e *Case) relays(name string) bool {
	return slices.ContainsFunc(e.Limits.Caches, func(cache plan.Cache) bool { return cache.Name == name && cache.TTL == 0 })
}
