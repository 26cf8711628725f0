package judge

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// sameETag matches where a validator never learned the new credential, and the set that
// it has its keys from came with it under the ETag that it had without it: who asks
// whether that has changed (If-None-Match) is told that it has not.
func sameETag(c *cell) (explanation, bool) {
	g1 := c.limits.G1(c.validator)
	if !c.late() || c.everLearned || g1 == runbook.Forever || c.last-c.accepted < history.Offset(c.limits.Wall(g1)) {
		return explanation{}, false
	}
	for _, place := range []string{c.validator.From, c.nearest()} {
		before := map[string]bool{} // ETags of sets without it
		for _, look := range c.looksAt(place, "") {
			tag := look.Set.ETag
			if !look.Set.Readable() || tag == "" {
				continue
			}
			if !slices.Contains(look.Set.Credentials(), c.fresh) {
				before[tag] = true
				continue
			}
			if !before[tag] {
				break
			}
			return explanation{
				cause: CauseSameETag, consumer: place,
				why: fmt.Sprintf("%s never learned it: %s has it in its set since %s, under the ETag that the set had without it, so that who asks whether it has changed is told that it has not (304)",
					c.validator.Name, place, look.At),
				fix: fmt.Sprintf("have %s give each set an ETag of its own (a hash of it), or none; no lead is long enough until then", place),
			}, true
		}
	}
	return explanation{}, false
}
