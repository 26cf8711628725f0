package learning

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// SameETag matches where a validator never learned the new credential, and its source kept the set's
// ETag when that was added: a conditional request (If-None-Match) is then told that nothing has
// changed.
func SameETag(c *cell.Cell) (cell.Explanation, bool) {
	g1 := c.Limits.G1(c.Validator)
	if !c.Late() || c.EverLearned || g1 == runbook.Forever || c.Last-c.Accepted < history.Offset(c.Limits.Wall(g1)) {
		return cell.Explanation{}, false
	}
	for _, place := range []string{c.Validator.From, c.Nearest()} {
		before := map[string]bool{} // ETags of sets without it
		for _, look := range c.LooksAt(place, "") {
			tag := look.Set.ETag
			if !look.Set.Readable() || tag == "" {
				continue
			}
			if !slices.Contains(look.Set.Credentials(), c.Fresh) {
				before[tag] = true
				continue
			}
			if !before[tag] {
				break
			}
			return cell.Explanation{
				Cause: judge.CauseSameETag, Consumer: place,
				Why: fmt.Sprintf("%s never learned it: %s has it in its set since %s, under the ETag that the set had without it, so that a validator that asks for changes gets 304 (none)",
					c.Validator.Name, place, c.Moment(look.At)),
				Fix: fmt.Sprintf("have %s give each set an ETag of its own (a hash of it), or none; no lead is long enough until then", place),
			}, true
		}
	}
	return cell.Explanation{}, false
}
