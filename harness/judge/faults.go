package judge

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// faults holds when each fault left evidence and was undone: a rehearsal of a
// disturbance that did not happen proves nothing.
func faults(e *evidence) (Outcome, string, []Finding) {
	reports := e.faultReports()
	if len(reports) == 0 {
		return Skipped, "none was injected", nil
	}
	var vain []string
	var findings []Finding
	for _, r := range reports {
		switch {
		case r.InjectedMS < 0:
			vain = append(vain, fmt.Sprintf("%s on %s did not happen: %s", r.Kind, r.Target, r.Detail))
			continue
		case !r.Took:
			vain = append(vain, fmt.Sprintf("%s on %s left no evidence", r.Kind, r.Target))
		}
		if r.UndoneMS < 0 {
			findings = append(findings, Finding{
				Level: Error, Consumer: r.Target, CausedBy: r.Kind, FirstMS: r.InjectedMS, LastMS: e.end.Milliseconds(), Count: 1,
				Message: fmt.Sprintf("the fault %s on %s was not undone: %s", r.Kind, r.Target, r.Detail),
				Fix:     "undo it by hand; `rehearse clean` removes what the run started",
			})
		}
	}
	switch {
	case len(findings) > 0:
		return Fail, "a fault was not undone", findings
	case len(vain) > 0:
		return Inconclusive, strings.Join(vain, "; "), nil
	}
	return Pass, plan.Counted(int64(len(reports)), "fault") + " left evidence, and none is in effect any more", nil
}

// faultReports follows each fault from its injection to its undoing.
func (e *evidence) faultReports() []FaultReport {
	reports := []FaultReport{}
	find := func(f *history.Fault) *FaultReport {
		for i := range reports {
			if reports[i].Kind == f.Kind && reports[i].Target == f.Target && reports[i].UndoneMS < 0 {
				return &reports[i]
			}
		}
		reports = append(reports, FaultReport{Kind: f.Kind, Target: f.Target, From: f.From, To: f.To, Evidence: map[string]float64{}, InjectedMS: -1, UndoneMS: -1})
		return &reports[len(reports)-1]
	}
	for _, event := range e.events {
		if event.Kind != history.KindFault {
			continue
		}
		r := find(event.Fault)
		r.By = event.Fault.By
		for name, figure := range event.Fault.Evidence {
			r.Evidence[name] = figure
		}
		switch event.Fault.Stage {
		case history.FaultInjected:
			r.InjectedMS = event.At.Milliseconds()
		case history.FaultEvidence:
			r.Took = r.Took || event.Fault.Took
		case history.FaultUndone:
			r.UndoneMS = event.At.Milliseconds()
		case history.FaultFailed:
			r.Detail = event.Fault.Detail
		}
	}
	return reports
}
