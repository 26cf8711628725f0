package rotation

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// refusal is one reason for which a gate does not hold, and the party to look at.
type refusal struct {
	consumer string
	why      string
}

// check evaluates a gate: what holds, in a sentence, and what does not.
type check func(ctx context.Context) (holds string, refusals []refusal)

// short are the bounds of a rule that do not hold, by the page and by what this
// run has seen so far.
func (r *rotation) short(rule string) []plan.Bound {
	var broken []plan.Bound
	r.see(func(v *history.View) {
		for _, b := range r.limits.BoundsSeen(plan.Sight{View: v, Old: Old, New: New}) {
			if b.Rule == rule && !b.Held {
				broken = append(broken, b)
			}
		}
	})
	return plan.Worst(broken)
}

// gate evaluates what must hold before the next phase, records it, and, where
// gates are enforced, turns a refusal into a decision to go back.
func (r *rotation) gate(ctx context.Context, phase history.Phase, check check) error {
	if r.plan.Gates == scenario.Off {
		return nil
	}
	asked := r.world.Evidence.Offset()
	holds, refusals := check(ctx)
	g := history.Gate{Phase: phase, Mode: string(r.plan.Gates), Held: len(refusals) == 0, Detail: holds}
	if g.Held {
		r.record(history.Event{Kind: history.KindGate, Phase: phase, Gate: &g})
		return nil
	}
	whys := make([]string, len(refusals))
	for i, refused := range refusals {
		g := g
		g.Detail, g.Consumer = refused.why, refused.consumer
		r.record(history.Event{Kind: history.KindGate, Phase: phase, Gate: &g})
		whys[i] = refused.why
	}
	why := fmt.Sprintf("the gate of %s does not hold: %s", phase, strings.Join(whys, "; "))
	if r.enforced() {
		return r.decide(history.TriggerGate, why, asked)
	}
	r.record(history.Event{Kind: history.KindDecision, Phase: phase, Decision: &history.Decision{
		Action: history.ActionRecord, Trigger: history.TriggerGate, Why: why, Since: asked,
	}})
	return nil
}
