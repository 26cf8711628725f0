package cause

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// slowAnswer is from when on a key set is slow: far above the usual time, and below what clients wait
// (2 s and more).
const slowAnswer = history.Offset(time.Second)

// slowSet matches where the key set, on the validator's own way, came late or not at all while the
// validator failed its callers.
func slowSet(c *Cell) (Explanation, bool) {
	if v, known := c.Limits.Validator(c.Validator.Name); known {
		c.Validator = v
	}
	place := c.nearest()
	for _, reader := range []string{c.Validator.Name, ""} {
		var quick history.Offset
		for _, look := range c.looksAt(place, reader) {
			set := look.Set
			late := set.Took >= slowAnswer || !set.Readable()
			if !late {
				quick = set.Took
				continue
			}
			// A look is recorded when it is over.
			if began := look.At - set.Took; began > c.Last || look.At+evidence.Nearly < c.First-slowAnswer {
				continue
			}
			what := fmt.Sprintf("took %s to answer", set.Took.Duration().Round(10*time.Millisecond))
			if !set.Readable() {
				what = fmt.Sprintf("gave no set (%s after %s)", set.Status, set.Took.Duration().Round(10*time.Millisecond))
			}
			why := fmt.Sprintf("the key set of %s, which %s has to wait for, %s", place, c.Validator.Name, what)
			if quick > 0 {
				why += fmt.Sprintf(", and %s before", quick.Duration().Round(time.Millisecond))
			}
			return Explanation{
				Cause: judge.CauseSlowSet, Consumer: place, Why: why,
				Fix: fmt.Sprintf("let %s answer for its key set within what %s waits, and %s fetch it in the background, so that no request waits for it", place, c.Validator.Name, c.Validator.Name),
			}, true
		}
	}
	return Explanation{}, false
}
