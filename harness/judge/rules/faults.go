package rules

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// faults holds when each fault left evidence and was undone: a rehearsal of a
// disturbance that did not happen proves nothing.
func faults(e *judging) (judge.Outcome, string, []judge.Finding) {
	reports := e.FaultReports()
	if len(reports) == 0 {
		return judge.Skipped, "none was injected", nil
	}
	var vain []string
	var findings []judge.Finding
	for _, r := range reports {
		switch {
		case r.InjectedMS < 0:
			vain = append(vain, fmt.Sprintf("%s on %s did not happen: %s", r.Kind, r.Target, r.Detail))
			continue
		case !r.Took:
			vain = append(vain, fmt.Sprintf("%s on %s left no evidence", r.Kind, r.Target))
		}
		if r.UndoneMS < 0 {
			findings = append(findings, judge.Finding{
				Level: judge.Error, Consumer: r.Target, CausedBy: r.Kind, FirstMS: r.InjectedMS, LastMS: e.End.Milliseconds(), Count: 1,
				Message: fmt.Sprintf("the fault %s on %s was not undone: %s", r.Kind, r.Target, r.Detail),
				Fix:     "undo it by hand; `rehearse clean` removes what the run started",
			})
		}
	}
	switch {
	case len(findings) > 0:
		return judge.Fail, "a fault was not undone", findings
	case len(vain) > 0:
		return judge.Inconclusive, strings.Join(vain, "; "), nil
	}
	return judge.Pass, plan.Counted(int64(len(reports)), "fault") + " left evidence, and none is in effect any more", nil
}
