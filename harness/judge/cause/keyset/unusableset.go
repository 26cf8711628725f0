package keyset

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// UnusableSet matches where a key of another type came into the validator's set before it refused what
// it should have taken: a library that cannot read one key may keep the old set, or drop all of it.
func UnusableSet(c *cell.Cell) (cell.Explanation, bool) {
	if !overdue(c) {
		return cell.Explanation{}, false
	}
	return unusable(c)
}

// KeptWithUnusableSet matches where a validator goes on taking the revoked credential because it could
// not use the set without it.
func KeptWithUnusableSet(c *cell.Cell) (cell.Explanation, bool) {
	told, ok := unusable(c)
	told.Why = "; it " + strings.TrimPrefix(told.Why, c.Validator.Name+" ")
	return told, ok
}

// unusable tells of a key that the validator cannot read, and had to before the cell began to suffer.
func unusable(c *cell.Cell) (cell.Explanation, bool) {
	foreign, since, ok := foreignKey(c.Evidence, c.Nearest())
	if !ok || since > c.First+evidence.Nearly {
		return cell.Explanation{}, false
	}
	source := sourceOf(c, since, func(set *history.KeySet) bool { return slices.Contains(set.Keys, foreign) })
	return cell.Explanation{
		Cause: judge.CauseUnusableSet, Consumer: source,
		Why: fmt.Sprintf("%s could not use the set since %s is in it, which %s has had since %s", c.Validator.Name, described(foreign), source, c.Page(max(since-c.Start, 0))),
		Fix: fmt.Sprintf("take %s out of what %s publishes for %s, or have that skip a key that it cannot read (RFC 7517 §5)", described(foreign), source, c.Validator.Name),
	}, true
}

// foreignKey is the first key that came into a set after it was first seen, was not made in this run,
// and is of another type than those that were.
func foreignKey(e *evidence.Evidence, place string) (key history.Key, since history.Offset, ok bool) {
	looks := e.LooksAt(place, "")
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

// overdue reports whether the validator should have taken the credential that it refused: the old one
// was not revoked, or the set has had the new one for longer than the validator keeps a set.
func overdue(c *cell.Cell) bool {
	if !c.IsFresh() {
		return c.BeforeRevoke(c.Sum)
	}
	for _, look := range c.LooksAt(c.Nearest(), "") {
		if look.Set.Readable() && slices.Contains(look.Set.Credentials(), c.Fresh) {
			return c.First >= look.At+history.Offset(c.Limits.Wall(c.Validator.Refills()))
		}
	}
	return false
}

// described describes a key in the words of a set.
func described(k history.Key) string {
	name := k.Kid
	if k.Credential != "" {
		name = k.Credential
	}
	what := k.Kty
	for _, more := range []string{k.Crv, k.Alg} {
		if more != "" {
			what += " " + more
		}
	}
	if k.Use != "" {
		what += ", use " + k.Use
	}
	return fmt.Sprintf("%s (%s)", name, what)
}
