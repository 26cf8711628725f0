package keyset

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// NoAlg matches where the new key came into the set without an algorithm that the old one has: some
// validators refuse such a key.
func NoAlg(c *cell.Cell) (cell.Explanation, bool) {
	if !c.IsFresh() {
		return cell.Explanation{}, false
	}
	set, seen := c.SetAt(c.Nearest(), c.First+evidence.Nearly)
	if !seen || !lacksAlg(set, c.Fresh) || lacksAlg(set, c.Old) {
		return cell.Explanation{}, false
	}
	source := sourceOf(c, c.First+evidence.Nearly, func(set *history.KeySet) bool { return lacksAlg(set, c.Fresh) })
	return cell.Explanation{
		Cause: judge.CauseNoAlg, Consumer: source,
		Why: fmt.Sprintf("the set of %s has %s without an alg, which %s has", source, c.Fresh, c.Old),
		Fix: fmt.Sprintf("let %s write alg into every key of the set (RFC 7517 §4.4): it is optional there, and %s wants it", source, c.Validator.Name),
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
