package keyset

import (
	"fmt"
	"slices"

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
	return slices.ContainsFunc(set.Keys, func(k history.Key) bool { return k.Credential == credential && k.Alg == "" })
}

// OtherType matches where a validator that takes the old key took the new one from nobody, and the key
// set shows that the new one has another type or algorithm: its list of algorithms refuses that
// whatever the lead.
func OtherType(c *cell.Cell) (cell.Explanation, bool) {
	v, emitter := c.Validator, c.EmitterOf(c.Presenter)
	if c.Presenter == "" {
		emitter = v.From
	}
	old, fresh := TypesIn(c.Evidence, emitter)
	if _, took := c.LastTook(v.Name); took || !c.IsFresh() || old == "" || fresh == "" || old == fresh {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseWrongAlgorithm, Consumer: emitter,
		Why: fmt.Sprintf("%s made %s of the type %s, and %s of %s, which %s takes: it took none of %s from anybody", emitter, c.Fresh, fresh, c.Old, old, v.Name, c.Fresh),
		Fix: fmt.Sprintf("find out whether %s takes %s (its list of algorithms): where it does not, have %s make the new key of the type that every validator takes, or have all of them take both before emitting; no lead is long enough", v.Name, fresh, emitter),
	}, true
}

// TypesIn are the types of the old and the new credential in an emitter's set; "" where that was not
// seen.
func TypesIn(e *evidence.Evidence, emitter string) (old, fresh string) {
	return typeIn(e, emitter, e.Old), typeIn(e, emitter, e.Fresh)
}

// typeIn is the algorithm of a credential, or else its type, in an emitter's set; "" where that was not
// seen.
func typeIn(e *evidence.Evidence, emitter, credential string) (kind string) {
	for _, look := range e.LooksAt(emitter, "") {
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
