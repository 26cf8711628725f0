package judge

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// storeName is the store, as a history names it: what the other rotation wrote is there.
const storeName = "store"

// causedByOther is what such refusals begin with, as a step that is none of this
// rotation's.
const causedByOther = "second-rotation"

// otherRotation matches where a credential was refused because another rotation
// of the same secret was under way: its own is refused by who has not learned it,
// and the old one, before this rotation revoked it, by who was told that it is gone.
func otherRotation(c *cell) (explanation, bool) {
	made, crossed := c.crossed()
	if !crossed {
		return explanation{}, false
	}
	at := c.others[made]
	told := explanation{
		cause: CauseOtherRotation, consumer: storeName, causedBy: causedByOther,
		why: fmt.Sprintf("another rotation of the same secret made %s at %s, and %s went to make room for it", made, at, c.credential),
		fix: "let one rotation end before the next begins: take a lock that both know (a keyring that is written with check-and-set); the store's audit log says who else writes it",
	}
	if c.credential != made {
		return told, true
	}
	told.why = fmt.Sprintf("another rotation of the same secret made %s at %s and emitted it at once", made, at)
	if learned, ever := c.learned(c.validator.Name, made, at); ever {
		told.why += fmt.Sprintf("; %s learned it %s later", c.validator.Name, c.page(learned-at))
	} else {
		told.why += fmt.Sprintf("; %s had not learned it until the end", c.validator.Name)
	}
	return told, true
}

// crossed is what the other rotation made, where there was one.
func (c *cell) crossed() (made string, there bool) {
	if _, other := c.others[c.credential]; other {
		return c.credential, true
	}
	if c.credential != c.old || !c.beforeRevoke(c.sum) {
		return "", false
	}
	for _, name := range slices.Sorted(maps.Keys(c.others)) {
		if c.others[name] <= c.first+history.Offset(nearly) {
			return name, true
		}
	}
	return "", false
}
