package cause

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// unusableSet matches where a key of another type came into the validator's set before it refused what
// it should have taken: a library that cannot read one key may keep the old set, or drop all of it.
func unusableSet(c *Cell) (Explanation, bool) {
	if !c.overdue() {
		return Explanation{}, false
	}
	return c.unusable()
}

// keptWithUnusableSet matches where a validator goes on taking the revoked credential because it could
// not use the set without it.
func keptWithUnusableSet(c *Cell) (Explanation, bool) {
	told, ok := c.unusable()
	told.Why = "; it " + strings.TrimPrefix(told.Why, c.Validator.Name+" ")
	return told, ok
}

// unusable tells of a key that the validator cannot read, and had to before the cell began to suffer.
func (c *Cell) unusable() (Explanation, bool) {
	foreign, since, ok := c.foreignKey(c.nearest())
	if !ok || since > c.First+evidence.Nearly {
		return Explanation{}, false
	}
	source := c.sourceOf(since, func(set *history.KeySet) bool { return slices.Contains(set.Keys, foreign) })
	return Explanation{
		Cause: judge.CauseUnusableSet, Consumer: source,
		Why: fmt.Sprintf("%s could not use the set since %s is in it, which %s has had since %s", c.Validator.Name, described(foreign), source, c.Page(max(since-c.Start, 0))),
		Fix: fmt.Sprintf("take %s out of what %s publishes for %s, or have that skip a key that it cannot read (RFC 7517 §5)", described(foreign), source, c.Validator.Name),
	}, true
}

// foreignKey is the first key that came into a set after it was first seen, was not made in this run,
// and is of another type than those that were.
func (e *Case) foreignKey(place string) (key history.Key, since history.Offset, ok bool) {
	looks := e.looksAt(place, "")
	var own, first []string
	for _, look := range looks {
		for _, k := range look.Set.Keys {
			if k.Credential != "" {
				own = append(own, k.Kty)
			}
		}
	}
	for _, look := range looks {
		if !look.Set.Readable() {
			continue
		}
		if first == nil {
			first = []string{""}
			for _, k := range look.Set.Keys {
				first = append(first, k.Kid)
			}
			continue
		}
		for _, k := range look.Set.Keys {
			if k.Credential == "" && !slices.Contains(own, k.Kty) && !slices.Contains(first, k.Kid) {
				return k, look.At, true
			}
		}
	}
	return history.Key{}, 0, false
}
