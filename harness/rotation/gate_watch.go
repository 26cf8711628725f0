package rotation

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// watchGate holds when every validator refused the old credential by G3 and
// takes the new one.
func (r *rotation) watchGate(context.Context) (string, []refusal) {
	var refusals []refusal
	late := map[string]bool{}
	for _, v := range r.limits.Validators {
		if set, known := r.published(v.From); known && slices.Contains(set, Old) && r.mustPublish(v, r.revokedAt) {
			late[v.From] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(late)) {
		refusals = append(refusals, refusal{name, fmt.Sprintf("%s still publishes %s %s after the revoke", name, Old, plan.Text(r.limits.Watch))})
	}
	r.see(func(view *history.View) {
		for _, v := range r.limits.Validators {
			old, asked := view.Probes[v.Name][Old]
			switch {
			case asked && old.Outcome == history.OK && late[v.From]: // it takes what is published
			case asked && old.Outcome == history.OK:
				bound := "and nothing will ever make it refuse it"
				if g3 := r.limits.G3(v); g3 != runbook.Forever {
					bound = fmt.Sprintf("the bound is %s", plan.Text(g3))
				}
				refusals = append(refusals, refusal{v.Name, fmt.Sprintf("%s still takes %s %s after the revoke, %s",
					v.Name, Old, plan.Text(r.limits.Watch), bound)})
			case r.lacks(revocation): // nothing could be shown to it
			case !asked || old.Outcome != history.AuthFailure:
				refusals = append(refusals, refusal{v.Name, fmt.Sprintf("%s could not be asked whether it refuses %s", v.Name, Old)})
			}
			_, holds := view.Holds[v.Name][New]
			if late[v.From] && !holds {
				continue // it cannot take what its emitter does not give it
			}
			probe, asked := view.Probes[v.Name][New]
			switch {
			case asked && probe.Outcome == history.HarnessError:
				refusals = append(refusals, refusal{v.Name, fmt.Sprintf("%s could not be asked whether it takes %s: %s", v.Name, New, probe.Status)})
			case asked && probe.Outcome != history.OK:
				refusals = append(refusals, refusal{v.Name, fmt.Sprintf("%s does not take %s: %s", v.Name, New, probe.Status)})
			}
		}
	})
	if why, lacks := r.limits.Lacks(revocation); lacks {
		return fmt.Sprintf("every validator takes %s; none was shown %s, so that nothing says whether it is refused: %s", New, Old, why), refusals
	}
	return fmt.Sprintf("every validator refuses %s and takes %s", Old, New), refusals
}

// revocation is the judge's rule for which a token must outlive the revoke.
const revocation = "revocation"

// lacks reports whether there is no evidence for a rule of the judge.
func (r *rotation) lacks(rule string) bool {
	_, lacks := r.limits.Lacks(rule)
	return lacks
}
