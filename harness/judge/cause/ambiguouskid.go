package cause

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// ambiguousKid matches where the set had two keys under the name of the refused one: chance or the
// library decides which of them a validator takes.
func ambiguousKid(c *Cell) (Explanation, bool) {
	if !c.isFresh() && !c.beforeRevoke(c.Sum) {
		return Explanation{}, false
	}
	for _, look := range c.looksAt(c.nearest(), "") {
		if look.At > c.First+evidence.Nearly {
			break
		}
		one, other, ok := twice(look.Set, c.Credential)
		if !ok {
			continue
		}
		source := c.sourceOf(look.At, func(set *history.KeySet) bool { _, _, has := twice(set, c.Credential); return has })
		if one.Print != other.Print {
			return Explanation{
				Cause: judge.CauseReusedKid, Consumer: source,
				Why: fmt.Sprintf("the set of %s had two keys under the name of %s, and %s took one for the other", source, c.Credential, c.Validator.Name),
				Fix: "give every key a name of its own: its thumbprint (RFC 7638) is one",
			}, true
		}
		return Explanation{
			Cause: judge.CauseAmbiguousKid,
			Why:   fmt.Sprintf("the set of %s has it twice under one kid, as %s and as %s, and %s matched the wrong one", source, described(one), described(other), c.Validator.Name),
			Fix:   fmt.Sprintf("give every key of %s a kid of its own; until then have %s choose by use and alg too (RFC 7517 §4.2, §4.4)", source, c.Validator.Name),
		}, true
	}
	return Explanation{}, false
}

// twice finds two different keys of a set under the name of a credential.
func twice(set *history.KeySet, credential string) (one, other history.Key, ok bool) {
	for i, a := range set.Keys {
		for _, b := range set.Keys[i+1:] {
			if a.Credential == credential && a.Kid == b.Kid && a != b {
				return a, b, true
			}
		}
	}
	return one, other, false
}
