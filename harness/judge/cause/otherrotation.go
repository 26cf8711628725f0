package cause

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// CausedByOther is what such refusals begin with, as a step that is none of this
// rotation's.
const CausedByOther = "second-rotation"

// otherRotation matches where a credential was refused because another rotation
// of the same secret was under way: its own is refused by who has not learned it,
// and the old one, before this rotation revoked it, by who was told that it is gone.
func otherRotation(c *Cell) (Explanation, bool) {
	made, crossed := c.crossed()
	if !crossed {
		return Explanation{}, false
	}
	at := c.Others[made]
	told := Explanation{
		Cause: judge.CauseOtherRotation, Consumer: evidence.StoreName, CausedBy: CausedByOther,
		Why: fmt.Sprintf("another rotation of the same secret made %s at %s, and %s went to make room for it", made, at, c.Credential),
		Fix: "let one rotation end before the next begins: take a lock that both know (a keyring that is written with check-and-set); the store's audit log says who else writes it",
	}
	if c.Credential != made {
		return told, true
	}
	told.Why = fmt.Sprintf("another rotation of the same secret made %s at %s and emitted it at once", made, at)
	if learned, ever := c.Learned(c.Validator.Name, made, at); ever {
		told.Why += fmt.Sprintf("; %s learned it %s later", c.Validator.Name, c.Page(learned-at))
	} else {
		told.Why += fmt.Sprintf("; %s had not learned it until the end", c.Validator.Name)
	}
	return told, true
}

// crossed is what the other rotation made, where there was one.
func (c *Cell) crossed() (made string, ok bool) {
	if _, other := c.Others[c.Credential]; other {
		return c.Credential, true
	}
	if c.Credential != c.Old || !c.beforeRevoke(c.Sum) {
		return "", false
	}
	for _, name := range slices.Sorted(maps.Keys(c.Others)) {
		if c.Others[name] <= c.First+evidence.Nearly {
			return name, true
		}
	}
	return "", false
}
