package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// fetchedTwice matches where a validator fetched a set in which two keys have the
// credential's name, and refused it from then on: it matches the wrong one.
func fetchedTwice(c *cell) (explanation, bool) {
	v := c.validator
	for _, fetch := range c.fetches(v.Name, c.start, c.last) {
		n := 0
		for _, name := range fetch.Credentials {
			if name == c.credential {
				n++
			}
		}
		if n < 2 || c.first < fetch.At-history.Offset(nearly) {
			continue
		}
		from := fetch.From
		if from == "" {
			from = v.From
		}
		return explanation{
			cause: CauseAmbiguousKid,
			why: fmt.Sprintf("the set that %s%s fetched from %s at %s has %d keys under the kid of %s, and it took another one than signs: one for another use or type",
				v.Name, c.offPage(v.Name), from, fetch.At, n, c.credential),
			fix: fmt.Sprintf("give every key in the answer of %s a kid of its own, and have %s choose by use and alg too (RFC 7517 §4.5: a kid may be shared by keys of different types)", from, v.Name),
		}, true
	}
	return explanation{}, false
}
