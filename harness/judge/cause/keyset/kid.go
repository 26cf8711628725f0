package keyset

import (
	"cmp"
	"fmt"
	"slices"

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

// ReusedKid matches where a new key was published under the name of the old one: the set had more keys
// than names. Validators that replaced the old key by the new one then refuse the old one too.
func ReusedKid(c *cell.Cell) (cell.Explanation, bool) {
	if told, other := otherKeyInSet(c); other {
		return told, true
	}
	v := c.Validator
	for _, event := range c.Events {
		if event.Kind != history.KindPublished || event.Service != v.From || event.At < c.Accepted || slices.Contains(event.Credentials, c.Fresh) {
			continue
		}
		if !c.IsFresh() && (event.At > c.First+evidence.Nearly || !c.BeforeRevoke(c.Sum)) {
			continue // earlier refusals, and those after the revoke, have another cause
		}
		if names := slices.Compact(slices.Sorted(slices.Values(event.Credentials))); len(names) < len(event.Credentials) {
			causedBy := "" // the emit first put the new one to the test
			if !c.IsFresh() {
				causedBy = c.FaultAtTheSource()
			}
			return cell.Explanation{
				Cause: judge.CauseReusedKid, Consumer: v.From, CausedBy: causedBy,
				Why: fmt.Sprintf("%s published %d keys under the name of %s, so that %s took it for the key that it had", v.From, len(event.Credentials), names[0], v.Name),
				Fix: "give every key a name of its own: its thumbprint (RFC 7638) is one",
			}, true
		}
	}
	return cell.Explanation{}, false
}

// otherKeyInSet tells of an emitter that publishes another key under the name of the credential than
// the one with which it signs.
func otherKeyInSet(c *cell.Cell) (cell.Explanation, bool) {
	for _, event := range c.Events {
		if event.Kind != history.KindEmitting || event.What != history.OfOtherKey || event.Credential != c.Credential || event.Service != c.Validator.From {
			continue
		}
		return cell.Explanation{
			Cause: judge.CauseReusedKid, Consumer: event.Service,
			Why: fmt.Sprintf("%s has another key in its set under the name of %s than the one with which it signs, so that no token of it can be checked by that set", event.Service, c.Credential),
			Fix: fmt.Sprintf("have %s publish the key with which it signs, and give every key a name of its own: its thumbprint (RFC 7638) is one", event.Service),
		}, true
	}
	return cell.Explanation{}, false
}
