package scenario

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// RollbackPhases are the phases from which a rotation can be taken back: those
// after which something was changed, and the old credential still exists.
func RollbackPhases() []string { return Phases()[1:] }

// CheckRollbackFrom says why a rotation cannot be taken back from a phase; nil:
// it can.
func CheckRollbackFrom(phase string) *source.Invalid {
	known := RollbackPhases()
	switch {
	case slices.Contains(known, phase):
		return nil
	case phase == string(history.Baseline):
		return &source.Invalid{Message: "nothing is changed in the baseline: there is nothing to take back", Hint: "the first is " + known[0]}
	case slices.Contains([]string{"destroy", "complete", "end"}, phase):
		return &source.Invalid{
			Message: "after the watch the old credential is destroyed: there is nothing left to go back to, only another rotation helps",
			Hint:    "the last phase to go back from is " + known[len(known)-1],
		}
	}
	return &source.Invalid{Message: fmt.Sprintf("%q is no phase to go back from", phase), Hint: source.DidYouMean(phase, known)}
}
