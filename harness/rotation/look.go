package rotation

import (
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// Look is what a gate sees. A gate changes nothing, so that the screen can ask the rotation's own gates
// at any moment.
type Look struct {
	Limits plan.Limits
	View   *history.View
	Now    history.Offset
	// Baseline is how long the baseline is planned to last; wall time.
	Baseline time.Duration
	// OnPage are the names of the consumers of the page.
	OnPage []string

	served map[string]int64 // sessions made with the old credential, by party; nil: the authority cannot list them
	is     string           // what was last seen of the team's rotator
	moment plan.Moment      // into which the accept falls
}

// lookAt is the Look of the rotation's own gates.
func (r *rotation) lookAt(v *history.View) Look {
	l := Look{Limits: r.limits, View: v, Now: r.world.History.Offset(), Baseline: r.plan.Times.Baseline, moment: r.moment}
	if rotator := r.rotator(); rotator != nil {
		l.is = rotator.Progress().Is
	}
	for _, c := range r.plan.Runbook.Consumers {
		l.OnPage = append(l.OnPage, c.Name)
	}
	return l
}

// Gated are the phases at whose end there is a gate, in order.
func Gated() []history.Phase {
	return []history.Phase{history.Baseline, history.Verify, history.Emit, history.Overlap, history.Watch}
}

// Missing lists why the gate of a phase would not hold now, one sentence each; empty where it would, or
// the phase has none.
func (l Look) Missing(phase history.Phase) []string {
	var missing []string
	_, refusals := l.gate(phase)
	for _, refused := range refusals {
		missing = append(missing, refused.why)
	}
	return missing
}

// AsksLater says what the gate of a phase finds out only at its end; "" where it sees everything now.
func (l Look) AsksLater(phase history.Phase) string {
	pools := slices.ContainsFunc(l.Limits.Emitters, func(e plan.Emitter) bool { return e.Pool > 0 })
	switch {
	case phase == history.Verify && slices.Contains(l.Limits.Checks, "canary"):
		return "the canary is shown at its end"
	case phase == history.Overlap && pools:
		return "sessions are counted at its end"
	}
	return ""
}

// gate is the gate of a phase: what holds, in a sentence, and what does not.
func (l Look) gate(phase history.Phase) (holds string, refusals []refusal) {
	gates := map[history.Phase]func(Look) (string, []refusal){
		history.Baseline: Look.baseline, history.Verify: Look.verify, history.Emit: Look.emit,
		history.Overlap: Look.overlap, history.Watch: Look.watch,
	}
	if gate, ok := gates[phase]; ok {
		return gate(l)
	}
	return "", nil
}

// since is the page time since a step of a credential; 0 where it was not taken.
func (l Look) since(step, credential string) time.Duration {
	at, done := l.View.Steps[step][credential]
	if !done {
		return 0
	}
	return l.Limits.Page((l.Now - at).Duration()).Round(time.Second)
}
