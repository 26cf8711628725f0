package keyset

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

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
