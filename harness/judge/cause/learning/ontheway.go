package learning

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/runbook"
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
