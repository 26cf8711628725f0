package cause

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// CausedByOther is the CausedBy of such refusals: no step of this rotation.
const CausedByOther = "second-rotation"

// otherRotation matches where another rotation of the same secret was under way: its new credential is
// refused by validators that have not learned it, and the old one, before this rotation revoked it, by
// those that were told to forget it.
func otherRotation(c *cell.Cell) (cell.Explanation, bool) {
	made, crossed := crossed(c)
	if !crossed {
		return cell.Explanation{}, false
	}
	at := c.Others[made]
	told := cell.Explanation{
		Cause: judge.CauseOtherRotation, Consumer: history.Store, CausedBy: CausedByOther,
		Why: fmt.Sprintf("another rotation of the same secret made %s at %s, and %s was removed to make room for it", made, c.Moment(at), c.Credential),
		Fix: "let one rotation end before the next begins: take a lock that both know (a keyring that is written with check-and-set); the store's audit log says who else writes it",
	}
	if c.Credential != made {
		return told, true
	}
	told.Why = fmt.Sprintf("another rotation of the same secret made %s at %s and emitted it at once", made, c.Moment(at))
	if learned, ever := c.Learned(c.Validator.Name, made, at); ever {
		told.Why += fmt.Sprintf("; %s learned it %s later", c.Validator.Name, c.Page(learned-at))
	} else {
		told.Why += fmt.Sprintf("; %s had not learned it until the end", c.Validator.Name)
	}
	return told, true
}

// crossed is the credential that the other rotation made.
func crossed(c *cell.Cell) (made string, ok bool) {
	if _, other := c.Others[c.Credential]; other {
		return c.Credential, true
	}
	if c.Credential != c.Old || !c.BeforeRevoke(c.Sum) {
		return "", false
	}
	for _, name := range slices.Sorted(maps.Keys(c.Others)) {
		if c.Others[name] <= c.First+evidence.Nearly {
			return name, true
		}
	}
	return "", false
}
