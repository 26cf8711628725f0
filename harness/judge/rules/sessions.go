package rules

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// sessions holds when sessions keep refreshing: a token that could not be renewed is its emitter's
// trouble, and no refusal of the key. Attempts held back for want of a token count against the
// objective.
func sessions(e *judging) (judge.Outcome, string, []judge.Finding) {
	found := map[string]*judge.Finding{}
	for _, event := range e.Events {
		if event.Kind != history.KindSession {
			continue
		}
		f := found[event.Service]
		if f == nil {
			emitter := e.EmitterOf(event.Service)
			f = &judge.Finding{
				Level: judge.Error, Presenter: event.Service, Consumer: emitter, Cause: judge.CauseServiceDown,
				CausedBy: e.LastStep(event.At), FirstPhase: e.PhaseAt(event.At), FirstMS: event.At.Milliseconds(),
				Fix: fmt.Sprintf("look into %s: it must answer for tokens throughout a rotation", emitter),
			}
			told, _ := cause.Detect((&cell.Cell{Evidence: e.Evidence, Symptom: cell.Unrenewed, Presenter: event.Service, Validator: plan.Validator{Name: emitter}, First: event.At}))
			told.Apply(f)
			found[event.Service] = f
		}
		f.Count += max(1, event.Count)
		f.LastMS = event.At.Milliseconds()
	}
	if len(found) == 0 {
		return judge.Pass, "every session kept refreshing", nil
	}
	var findings []judge.Finding
	for _, name := range slices.Sorted(maps.Keys(found)) {
		f := *found[name]
		if e.heldInside(name, f.Count) {
			f.Level = judge.Warning
		}
		f.Message = fmt.Sprintf("%s held %d attempts back, since %s did not renew its tokens", name, f.Count, f.Consumer)
		findings = append(findings, f)
	}
	if !judge.HasError(findings) {
		return judge.Pass, "a few sessions renewed their tokens late, inside the objective", findings
	}
	return judge.Fail, "sessions could not renew their tokens", findings
}

// heldInside reports whether so many held-back attempts are within the objective. A budget below one
// attempt counts as one: a single late renewal in a short run is no broken session.
func (e *judging) heldInside(name string, n int64) bool {
	client, _ := e.Limits.Client(name)
	sum, _, _ := e.Lost(name, client.To, e.Start, e.End+1)
	return float64(n) <= math.Ceil(plan.Allowed(e.Limits.Objective, sum.Attempts+n))
}
