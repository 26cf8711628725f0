package rules

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// underAnotherTime corrects a rule's outcome where the machine's clock was set. What was broken before
// stays broken. Later findings are inconclusive: tokens from before are then expired, or not yet valid,
// and nobody is to blame.
func (e *judging) underAnotherTime(outcome judge.Outcome, detail string, findings []judge.Finding) (judge.Outcome, string) {
	set := e.ClockSet
	if set == nil || outcome == judge.Skipped {
		return outcome, detail
	}
	for i := range findings {
		if f := &findings[i]; f.Level == judge.Error && f.FirstMS >= (set.At-evidence.Nearly).Milliseconds() {
			f.Level = judge.Warning
			f.Message += "; " + set.Detail + " at " + e.Moment(set.At)
			f.Fix = ""
		}
	}
	if judge.HasError(findings) {
		return outcome, detail
	}
	return judge.Inconclusive, fmt.Sprintf("%s at %s, as it is when it wakes up: what depends on the time cannot be told; rehearse again", set.Detail, e.Moment(set.At))
}
