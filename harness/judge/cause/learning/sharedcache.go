package learning

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
)

// SharedCache matches where a validator fetched after the new credential was published, and a cache on
// the way answered with an old set.
func SharedCache(c *cell.Cell) (cell.Explanation, bool) {
	via, at, ok := staleAnswer(c)
	if !ok || !c.Late() {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseSharedCache, Consumer: via,
		Why: fmt.Sprintf("%s fetched the set %s after %s was accepted and was answered with an old one from %s%s", c.Validator.Name, c.Page(at-c.Accepted), c.Fresh, via, c.UntilLearned()),
		Fix: fmt.Sprintf("make %s expire its copy sooner, or purge it after accepting; else %s", via, c.FixLead()),
	}, true
}

// staleAnswer is the first fetch after the new credential was published that brought a set without it,
// and who answered.
func staleAnswer(c *cell.Cell) (via string, at history.Offset, ok bool) {
	for _, fetch := range c.Fetches(c.Validator.Name, max(c.Accepted, c.Published), c.Last) {
		if !slices.Contains(fetch.Credentials, c.Fresh) && fetch.From != c.Validator.From && !c.Relays(fetch.From) {
			return fetch.From, fetch.At, true
		}
	}
	return "", 0, false
}
