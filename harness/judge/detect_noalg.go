package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// noAlg matches where the new key came into the set without its algorithm, and
// the old one has one: there are validators that refuse such a key.
func noAlg(c *cell) (explanation, bool) {
	if !c.isFresh() {
		return explanation{}, false
	}
	set, seen := c.setAt(c.nearest(), c.first+history.Offset(nearly))
	if !seen || !lacksAlg(set, c.fresh) || lacksAlg(set, c.old) {
		return explanation{}, false
	}
	source := c.sourceOf(c.first+history.Offset(nearly), func(set *history.KeySet) bool { return lacksAlg(set, c.fresh) })
	return explanation{
		cause: CauseNoAlg, consumer: source,
		why: fmt.Sprintf("the set of %s has %s without an alg, which %s has", source, c.fresh, c.old),
		fix: fmt.Sprintf("let %s write alg into every key of the set (RFC 7517 §4.4): it is optional there, and %s wants it", source, c.validator.Name),
	}, true
}

// lacksAlg reports whether a set has a credential without an algorithm.
func lacksAlg(set *history.KeySet, credential string) bool {
	for _, k := range set.Keys {
		if k.Credential == credential && k.Alg == "" {
			return true
		}
	}
	return false
}
