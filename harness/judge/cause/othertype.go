package cause

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// otherType matches where a validator that takes the old key took the new one from nobody, and the key
// set shows that the new one has another type or algorithm: its list of algorithms refuses that
// whatever the lead.
func otherType(c *Cell) (Explanation, bool) {
	v, emitter := c.Validator, c.EmitterOf(c.Presenter)
	if c.Presenter == "" {
		emitter = v.From
	}
	old, fresh := c.TypesIn(emitter)
	if !c.isFresh() || c.View.Said(v.Name, c.Fresh, history.Canary).Taken+c.View.Said(v.Name, c.Fresh, history.NewAfter).Taken > 0 || old == "" || fresh == "" || old == fresh {
		return Explanation{}, false
	}
	for _, key := range c.JudgedCells() {
		if sum := c.View.Sum(key, c.Start, c.End+1); key.Validator == v.Name && key.Credential == c.Fresh && sum.OK > 0 {
			return Explanation{}, false
		}
	}
	return Explanation{
		Cause: judge.CauseWrongAlgorithm, Consumer: emitter,
		Why: fmt.Sprintf("%s made %s of the type %s, and %s of %s, which %s takes: it took none of %s from anybody", emitter, c.Fresh, fresh, c.Old, old, v.Name, c.Fresh),
		Fix: fmt.Sprintf("find out whether %s takes %s (its list of algorithms): where it does not, have %s make the new key of the type that every validator takes, or have all of them take both before emitting; no lead is long enough", v.Name, fresh, emitter),
	}, true
}

// TypesIn are the types of the old and the new credential in an emitter's set; "" where that was not
// seen.
func (e *Case) TypesIn(emitter string) (old, fresh string) {
	return e.typeIn(emitter, e.Old), e.typeIn(emitter, e.Fresh)
}

// typeIn is the algorithm of a credential, or else its type, in an emitter's set; "" where that was not
// seen.
func (e *Case) typeIn(emitter, credential string) (kind string) {
	for _, look := range e.looksAt(emitter, "") {
		for _, key := range look.Set.Keys {
			if key.Credential != credential {
				continue
			}
			if kind = key.Alg; kind == "" {
				kind = key.Kty
			}
		}
	}
	return kind
}
