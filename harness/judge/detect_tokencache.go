package judge

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// tokenCache matches where a validator went on taking a revoked credential after
// it had fetched the set without it: it keeps what it checked, and not the key.
func tokenCache(c *cell) (explanation, bool) {
	name, revoked := c.validator.Name, c.first
	if n, _ := c.caches(); n > 1 {
		return explanation{}, false // one replica fetched, and another took it
	}
	for _, fetch := range c.fetches(name, revoked, c.end) {
		if slices.Contains(fetch.Credentials, c.old) || slices.Contains(fetch.Holds, c.old) {
			continue
		}
		if c.last <= fetch.At+2*history.Offset(nearly) {
			return explanation{}, false
		}
		return explanation{
			cause: CauseTokenCache,
			why: fmt.Sprintf("; it fetched the set without %s at %s and took a token of %s for %s more: it keeps tokens that it has checked, and not the key",
				c.old, fetch.At, c.old, c.page(c.last-fetch.At)),
			fix: fmt.Sprintf("bound how long %s keeps what it has checked (introspection or token cache, by kid too), or empty that with the revoke; an expiry of its key set changes nothing", name),
		}, true
	}
	return explanation{}, false
}
