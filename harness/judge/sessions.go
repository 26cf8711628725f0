package judge

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// sessions holds when sessions keep refreshing: a token that could not be
// renewed is trouble at its emitter, and not a refusal of the key. Like every
// attempt without success, those that were held back for it count against the
// objective.
func sessions(e *evidence) (Outcome, string, []Finding) {
	found := map[string]*Finding{}
	for _, event := range e.events {
		if event.Kind != history.KindSession {
			continue
		}
		f := found[event.Service]
		if f == nil {
			emitter := e.emitterOf(event.Service)
			f = &Finding{
				Level: Error, Presenter: event.Service, Consumer: emitter, Cause: CauseServiceDown,
				CausedBy: e.lastStep(event.At), FirstPhase: e.phaseAt(event.At), FirstMS: event.At.Milliseconds(),
				Fix: fmt.Sprintf("look into %s: it must answer for tokens throughout a rotation", emitter),
			}
			told, _ := (&cell{evidence: e, symptom: unrenewed, presenter: event.Service, validator: plan.Validator{Name: emitter}, first: event.At}).detect()
			told.apply(f)
			found[event.Service] = f
		}
		f.Count += max(1, event.Count)
		f.LastMS = event.At.Milliseconds()
	}
	if len(found) == 0 {
		return Pass, "every session kept refreshing", nil
	}
	var findings []Finding
	for _, name := range slices.Sorted(maps.Keys(found)) {
		f := *found[name]
		if e.heldInside(name, f.Count) {
			f.Level = Warning
		}
		f.Message = fmt.Sprintf("%s held %d attempts back, since %s did not renew its tokens", name, f.Count, f.Consumer)
		findings = append(findings, f)
	}
	if !hasError(findings) {
		return Pass, "a few sessions renewed their tokens late, inside the objective", findings
	}
	return Fail, "sessions could not renew their tokens", findings
}

// heldInside reports whether so many attempts that a client held back are inside the
// objective. A budget of less than one attempt is one: a renewal that came a moment
// late, once in a short run, is no session that could not be renewed.
func (e *evidence) heldInside(name string, n int64) bool {
	client, _ := e.limits.Client(name)
	sum, _, _ := e.lost(name, client.To, e.start, e.end+1)
	return float64(n) <= math.Ceil(plan.Allowed(e.limits.Objective, sum.Attempts+n))
}
