package rules

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// underAnotherTime is what a rule comes to where the machine's clock was set. What
// was broken before stays so. Of what comes after nothing can be told: what was
// signed before has expired, or has not begun, for who reads it now, and that was
// nobody's doing.
func (e *judging) underAnotherTime(outcome judge.Outcome, detail string, findings []judge.Finding) (judge.Outcome, string) {
	set := e.ClockSet
	if set == nil || outcome == judge.Skipped {
		return outcome, detail
	}
	for i := range findings {
		if f := &findings[i]; f.Level == judge.Error && f.FirstMS >= (set.At-evidence.Nearly).Milliseconds() {
			f.Level = judge.Warning
			f.Message += "; " + set.Detail + " at " + set.At.String()
			f.Fix = ""
		}
	}
	if judge.HasError(findings) {
		return outcome, detail
	}
	return judge.Inconclusive, fmt.Sprintf("%s at %s, as it is when it wakes up: what depends on the time cannot be told; rehearse again", set.Detail, set.At)
}
