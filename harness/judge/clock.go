package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// underAnotherTime is what a rule comes to where the machine's clock was set. What
// was broken before stays so. Of what comes after nothing can be told: what was
// signed before has expired, or has not begun, for who reads it now, and that was
// nobody's doing.
func (e *evidence) underAnotherTime(outcome Outcome, detail string, findings []Finding) (Outcome, string) {
	set := e.clockSet
	if set == nil || outcome == Skipped {
		return outcome, detail
	}
	for i := range findings {
		if f := &findings[i]; f.Level == Error && f.FirstMS >= (set.At-history.Offset(nearly)).Milliseconds() {
			f.Level = Warning
			f.Message += "; " + set.Detail + " at " + set.At.String()
			f.Fix = ""
		}
	}
	if hasError(findings) {
		return outcome, detail
	}
	return Inconclusive, fmt.Sprintf("%s at %s, as it is when it wakes up: what depends on the time cannot be told; rehearse again", set.Detail, set.At)
}
