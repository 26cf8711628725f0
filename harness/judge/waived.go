package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/plan"
)

// waived leaves a rule out that the scenario waives, with the reason beside what
// it would have come to. Its findings stay, as notes.
func waived(l plan.Limits, rule string, outcome Outcome, detail string, findings []Finding) (Outcome, string) {
	why, is := l.Waived[rule]
	if !is || outcome == Pass || outcome == Skipped {
		return outcome, detail
	}
	for i := range findings {
		findings[i].Level = Note
		findings[i].Message += " (waived: " + why + ")"
	}
	return Skipped, fmt.Sprintf("waived: %s; it would have been %s: %s", why, outcome, detail)
}
