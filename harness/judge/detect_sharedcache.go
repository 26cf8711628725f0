package judge

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// sharedCache matches where a validator fetched after the new credential was
// published, and a cache on the way answered with an old set.
func sharedCache(c *cell) (explanation, bool) {
	via, at, there := c.staleAnswer()
	if !there || !c.late() {
		return explanation{}, false
	}
	return explanation{
		cause: CauseSharedCache, consumer: via,
		why: fmt.Sprintf("%s fetched the set %s after %s was accepted and was answered with an old one from %s%s", c.validator.Name, c.page(at-c.accepted), c.fresh, via, c.until()),
		fix: fmt.Sprintf("make %s expire its copy sooner, or purge it after accepting; else %s", via, c.fixLead()),
	}, true
}

// staleAnswer is the first fetch after the new credential was published that was
// answered with a set without it, and who answered.
func (c *cell) staleAnswer() (via string, at history.Offset, there bool) {
	for _, fetch := range c.fetches(c.validator.Name, max(c.accepted, c.published), c.last) {
		if !slices.Contains(fetch.Credentials, c.fresh) && fetch.From != c.validator.From {
			return fetch.From, fetch.At, true
		}
	}
	return "", 0, false
}
