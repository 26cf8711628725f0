package cause

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// fetchedTwice matches where a validator fetched a set with two keys of the credential's name, and
// refused the credential from then on: it matches the wrong key.
func fetchedTwice(c *Cell) (Explanation, bool) {
	v := c.Validator
	for _, fetch := range c.Fetches(v.Name, c.Start, c.Last) {
		n := 0
		for _, name := range fetch.Credentials {
			if name == c.Credential {
				n++
			}
		}
		if n < 2 || c.First < fetch.At-evidence.Nearly {
			continue
		}
		from := fetch.From
		if from == "" {
			from = v.From
		}
		return Explanation{
			Cause: judge.CauseAmbiguousKid,
			Why: fmt.Sprintf("the set that %s%s fetched from %s at %s has %d keys under the kid of %s, and it took the wrong one: of another use or type",
				v.Name, c.OffPage(v.Name), from, fetch.At, n, c.Credential),
			Fix: fmt.Sprintf("give every key in the answer of %s a kid of its own, and have %s choose by use and alg too (RFC 7517 §4.5: a kid may be shared by keys of different types)", from, v.Name),
		}, true
	}
	return Explanation{}, false
}
