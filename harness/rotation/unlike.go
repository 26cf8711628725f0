package rotation

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// unlike is a refusal of nobody in particular, or of an issuer, where a validator refused what the harness
// made with a credential, and that is nothing like what clients present: what the validator takes, its
// refusal does not tell.
func (l Look) unlike(v plan.Validator, credential string, purpose history.Purpose) (refusal, bool) {
	if answer, a := l.Limits.Answered(l.View, v.Name, credential, purpose); answer != plan.Refuses || a.Taken > 0 {
		return refusal{}, false
	}
	switch {
	case !l.Limits.Attached() && l.View.Sets[v.From].OtherKey(credential):
		return refusal{v.From, fmt.Sprintf("it cannot be told whether %s takes %s: %s has another key in its set as %s than it was given, by which the harness signs what it shows to %s", v.Name, credential, v.From, credential, v.Name), true}, true
	case l.namesNone():
		return refusal{"", fmt.Sprintf("it cannot be told whether %s takes %s: it refuses what the harness made with it, and what clients present is nothing like that: it names no credential", v.Name, credential), true}, true
	}
	return refusal{}, false
}

// namesNone reports whether clients with tokens were answered, and nothing that they presented names a
// credential of the rotation.
func (l Look) namesNone() bool {
	answered := int64(0)
	for _, key := range l.View.Keys() {
		if c, ok := l.Limits.Client(key.Presenter); key.Source != l.Limits.JudgedAt || !ok || c.From == "" {
			continue
		}
		sum := l.View.Sum(key, 0, l.Now+1)
		if key.Credential == Old || key.Credential == New {
			return false
		}
		answered += sum.Answered()
	}
	return answered > 0
}
