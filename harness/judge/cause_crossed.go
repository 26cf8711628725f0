package judge

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// crossed reports whether a credential was refused because another rotation of
// the same secret was under way, and which one that made: its own is refused by
// who has not learned it, and the old one, before this rotation revoked it, by
// who was told that it is gone.
func (e *evidence) crossed(key history.CellKey, sum *history.Counts) (made string, there bool) {
	if _, other := e.others[key.Credential]; other {
		return key.Credential, true
	}
	if key.Credential != e.old || !e.beforeRevoke(sum) {
		return "", false
	}
	for _, name := range slices.Sorted(maps.Keys(e.others)) {
		if e.others[name] <= sum.FirstFailure+history.Offset(nearly) {
			return name, true
		}
	}
	return "", false
}

// tellCrossed tells what the other rotation, which made a credential, did to this one.
func (e *evidence) tellCrossed(key history.CellKey, v plan.Validator, made string) explanation {
	at := e.others[made]
	told := explanation{
		cause: CauseOtherRotation, consumer: storeName, causedBy: causedByOther,
		why: fmt.Sprintf("another rotation of the same secret made %s at %s, and %s went to make room for it", made, at, key.Credential),
		fix: "let one rotation end before the next begins: take a lock that both know (a keyring that is written with check-and-set); the store's audit log says who else writes it",
	}
	if key.Credential != made {
		return told
	}
	told.why = fmt.Sprintf("another rotation of the same secret made %s at %s and emitted it at once", made, at)
	if learned, ever := e.learned(v.Name, made, at); ever {
		told.why += fmt.Sprintf("; %s learned it %s later", v.Name, e.page(learned-at))
	} else {
		told.why += fmt.Sprintf("; %s had not learned it until the end", v.Name)
	}
	return told
}

// storeName is the store, as a history names it: what the other rotation wrote is there.
const storeName = "store"

// causedByOther is what such refusals begin with, as a step that is none of this
// rotation's.
const causedByOther = "second-rotation"
