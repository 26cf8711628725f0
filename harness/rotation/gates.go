package rotation

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// refusal is one reason for which a gate does not hold, and the party to look at.
type refusal struct {
	consumer string
	why      string
	untold   bool // nobody can tell whether it holds
}

// short are the bounds of a rule that do not hold, by the page and by what this
// run has seen so far.
func (l Look) short(rule string) []plan.Bound {
	var broken []plan.Bound
	for _, b := range l.Limits.BoundsSeen(plan.Sight{View: l.View, Old: Old, New: New}) {
		if b.Rule == rule && !b.Held && !b.Maybe {
			broken = append(broken, b)
		}
	}
	return plan.Worst(broken)
}

// byChance adds a refusal for each bound of a rule that holds only as long as nobody's pause is as long as it may be by
// chance.
func (l Look) byChance(rule string) (refusals []refusal) {
	for _, b := range l.Limits.BoundsSeen(plan.Sight{View: l.View, Old: Old, New: New}) {
		if b.Rule == rule && b.Chance {
			refusals = append(refusals, refusal{consumer: b.Party, untold: true, why: b.Short()})
		}
	}
	return refusals
}

// check asks the gate of a phase, without recording anything.
func (r *rotation) check(ctx context.Context, phase history.Phase) (holds string, refusals []refusal) {
	served, err := r.sessions(ctx, phase)
	r.see(func(v *history.View) {
		l := r.lookAt(v)
		l.served = served
		holds, refusals = l.gate(phase)
	})
	if err != nil {
		refusals = append(refusals, refusal{consumer: "", why: "the run could not find out who is served on sessions of " + Old + ": " + err.Error()})
	}
	return holds, refusals
}

// sessions are those that are still served of the old credential, where an authority
// can tell and the gate of the phase wants to know.
func (r *rotation) sessions(ctx context.Context, phase history.Phase) (map[string]int64, error) {
	sessions, ok := r.world.Probes.(world.Sessions)
	if !ok || phase != history.Overlap {
		return nil, nil
	}
	return sessions.Sessions(ctx, Old)
}

// gate evaluates what must hold before the next phase, records it, and, where
// gates are enforced and there is a way back, turns a refusal into a decision to go back.
func (r *rotation) gate(ctx context.Context, phase history.Phase) error {
	if r.plan.Gates == scenario.Off {
		return nil
	}
	asked := r.world.History.Offset()
	holds, refusals := r.check(ctx, phase)
	g := history.Gate{Phase: phase, Mode: string(r.plan.Gates), Held: len(refusals) == 0, Detail: holds}
	if g.Held {
		r.record(history.Event{Kind: history.KindGate, Phase: phase, Gate: &g})
		return nil
	}
	for _, refused := range refusals {
		g := g
		g.Detail, g.Consumer, g.Untold = refused.why, refused.consumer, refused.untold
		r.record(history.Event{Kind: history.KindGate, Phase: phase, Gate: &g})
	}
	why := fmt.Sprintf("the gate of %s does not hold: %s", phase, whys(refusals))
	reason, final := r.limits.NoWayBack(phase)
	if r.enforced() && !final {
		return r.decide(history.TriggerGate, why, asked)
	}
	if final {
		why += "; there is no way back: " + reason
	}
	r.record(history.Event{Kind: history.KindDecision, Phase: phase, Decision: &history.Decision{
		Action: history.ActionRecord, Trigger: history.TriggerGate, Why: why, Since: asked,
	}})
	return nil
}

// whys are all that a gate refuses for, in a sentence.
func whys(refusals []refusal) string {
	texts := make([]string, len(refusals))
	for i, refused := range refusals {
		texts[i] = refused.why
	}
	return strings.Join(texts, "; ")
}
