package judge

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// reusedKid matches where a new key was published under the name of the old one:
// there were more keys in the set than names. The old one is refused then too, by
// who took the new key in its place.
func reusedKid(c *cell) (explanation, bool) {
	v := c.validator
	for _, event := range c.events {
		if event.Kind != history.KindPublished || event.Service != v.From || event.At < c.accepted || slices.Contains(event.Credentials, c.fresh) {
			continue
		}
		if !c.isFresh() && (event.At > c.first+history.Offset(nearly) || !c.beforeRevoke(c.sum)) {
			continue // what the old one was refused for before, or is after its revoke, is something else
		}
		if names := slices.Compact(slices.Sorted(slices.Values(event.Credentials))); len(names) < len(event.Credentials) {
			causedBy := "" // the new one was not put to the test before it was emitted
			if !c.isFresh() {
				causedBy = c.faultAtTheSource()
			}
			return explanation{
				cause: CauseReusedKid, consumer: v.From, causedBy: causedBy,
				why: fmt.Sprintf("%s published %d keys under the name of %s, so that %s took it for the key that it had", v.From, len(event.Credentials), names[0], v.Name),
				fix: "give every key a name of its own: its thumbprint (RFC 7638) is one",
			}, true
		}
	}
	return explanation{}, false
}
