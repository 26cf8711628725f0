package rotation

import (
	"context"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// emittersOn lists the emitters that were last seen with a credential.
func (r *rotation) emittersOn(credential string, onPage bool) []string {
	var names []string
	r.see(func(v *history.View) {
		for _, e := range r.limits.Emitters {
			if v.Emitting[e.Name] == credential && (e.OnPage || !onPage) {
				names = append(names, e.Name)
			}
		}
	})
	return names
}

// emitGate holds when each emitter on the page was seen using the new credential.
func (r *rotation) emitGate(context.Context) (string, []refusal) {
	var refusals []refusal
	for _, name := range r.emittersOn(Old, true) {
		refusals = append(refusals, refusal{name, fmt.Sprintf("%s still uses %s, %s after it was told to use %s",
			name, Old, plan.Text(r.limits.Propagation+r.limits.Publishing(plan.Validator{From: name})), New)})
	}
	return r.inUse(), refusals
}
