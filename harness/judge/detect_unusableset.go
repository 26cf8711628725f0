package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// unusableSet matches where a key of another type came into the set that a
// validator has its keys from, before it refused what it should have taken: a
// library that cannot read one key may keep the old set, or throw all of it away.
func unusableSet(c *cell) (explanation, bool) {
	if !c.overdue() {
		return explanation{}, false
	}
	return c.unusable()
}

// keptWithUnusableSet matches where a validator that goes on taking the revoked
// credential could not use the set that no longer has it.
func keptWithUnusableSet(c *cell) (explanation, bool) {
	told, there := c.unusable()
	told.why = "; it " + strings.TrimPrefix(told.why, c.validator.Name+" ")
	return told, there
}

// unusable tells of a key that the validator cannot read, and had to before the
// cell began to suffer.
func (c *cell) unusable() (explanation, bool) {
	foreign, since, there := c.foreignKey(c.nearest())
	if !there || since > c.first+history.Offset(nearly) {
		return explanation{}, false
	}
	source := c.sourceOf(since, func(set *history.KeySet) bool { return slices.Contains(set.Keys, foreign) })
	return explanation{
		cause: CauseUnusableSet, consumer: source,
		why: fmt.Sprintf("%s could not use the set since %s is in it, which %s has had since %s", c.validator.Name, described(foreign), source, c.page(max(since-c.start, 0))),
		fix: fmt.Sprintf("take %s out of what %s publishes for %s, or have that skip a key that it cannot read (RFC 7517 §5)", described(foreign), source, c.validator.Name),
	}, true
}

// foreignKey is the first key that came into a set after it was first seen, was
// made by nobody in this run, and is of another type than those that were.
func (e *evidence) foreignKey(place string) (key history.Key, since history.Offset, there bool) {
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
