package judge

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// reusedKid matches where a new key was published under the name of the old one:
// there were more keys in the set than names.
func reusedKid(c *cell) (explanation, bool) {
	if !c.isFresh() {
		return explanation{}, false
	}
	v := c.validator
	for _, event := range c.events {
		if event.Kind != history.KindPublished || event.Service != v.From || event.At < c.accepted || slices.Contains(event.Credentials, c.fresh) {
			continue
		}
		if names := slices.Compact(slices.Sorted(slices.Values(event.Credentials))); len(names) < len(event.Credentials) {
			return explanation{
				cause: CauseReusedKid, consumer: v.From,
				why: fmt.Sprintf("%s published %d keys under the name of %s, so that %s took it for the key that it had", v.From, len(event.Credentials), names[0], v.Name),
				fix: "give every key a name of its own: its thumbprint (RFC 7638) is one",
			}, true
		}
	}
	return explanation{}, false
}
