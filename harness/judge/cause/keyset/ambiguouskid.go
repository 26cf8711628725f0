package keyset

import (
	"cmp"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// AmbiguousKid matches where the set had two keys under the name of the refused one: chance or the
// library decides which of them a validator takes.
func AmbiguousKid(c *cell.Cell) (cell.Explanation, bool) {
	if !c.IsFresh() && !c.BeforeRevoke(c.Sum) {
		return cell.Explanation{}, false
	}
	for _, look := range c.LooksAt(c.Nearest(), "") {
		if look.At > c.First+evidence.Nearly {
			break
		}
		one, other, ok := twice(look.Set, c.Credential)
		if !ok {
			continue
		}
		source := sourceOf(c, look.At, func(set *history.KeySet) bool { _, _, has := twice(set, c.Credential); return has })
		if one.Print != other.Print {
			return cell.Explanation{
				Cause: judge.CauseReusedKid, Consumer: source,
				Why: fmt.Sprintf("the set of %s had two keys under the name of %s, and %s took one for the other", source, c.Credential, c.Validator.Name),
				Fix: "give every key a name of its own: its thumbprint (RFC 7638) is one",
			}, true
		}
		return cell.Explanation{
			Cause: judge.CauseAmbiguousKid,
			Why:   fmt.Sprintf("the set of %s has it twice under one kid, as %s and as %s, and %s matched the wrong one", source, described(one), described(other), c.Validator.Name),
			Fix:   fmt.Sprintf("give every key of %s a kid of its own; until then have %s choose by use and alg too (RFC 7517 §4.2, §4.4)", source, c.Validator.Name),
		}, true
	}
	return cell.Explanation{}, false
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

// FetchedTwice matches where a validator fetched a set with two keys of the credential's name, and
// refused the credential from then on: it matches the wrong key.
func FetchedTwice(c *cell.Cell) (cell.Explanation, bool) {
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
		from := cmp.Or(fetch.From, v.From)
		return cell.Explanation{
			Cause: judge.CauseAmbiguousKid,
			Why: fmt.Sprintf("the set that %s%s fetched from %s at %s has %d keys under the kid of %s, and it took the wrong one: of another use or type",
				v.Name, c.OffPage(v.Name), from, c.Moment(fetch.At), n, c.Credential),
			Fix: fmt.Sprintf("give every key in the answer of %s a kid of its own, and have %s choose by use and alg too (RFC 7517 §4.5: a kid may be shared by keys of different types)", from, v.Name),
		}, true
	}
	return cell.Explanation{}, false
}
