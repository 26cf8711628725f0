package rules

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// waived skips a rule that the scenario waives, with the reason and the outcome that it would have had.
// Its findings stay, as notes.
func waived(l plan.Limits, rule string, outcome judge.Outcome, detail string, findings []judge.Finding) (judge.Outcome, string) {
	why, ok := l.Waived[rule]
	if !ok || outcome == judge.Pass || outcome == judge.Skipped {
		return outcome, detail
	}
	for i := range findings {
		findings[i].Level = judge.Note
		findings[i].Message += " (waived: " + why + ")"
	}
	return judge.Skipped, fmt.Sprintf("waived: %s; it would have been %s: %s", why, outcome, detail)
}
