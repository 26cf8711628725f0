package rotation

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// outsiders are parties that were seen with the secret and are not on the page.
func (r *rotation) outsiders() []refusal {
	page := map[string]bool{}
	for _, c := range r.plan.Page.Consumers {
		page[c.Name] = true
	}
	for _, c := range r.limits.Caches {
		page[c.Name] = true // it reads for those behind it
	}
	for _, g := range r.limits.Gateways {
		page[g.Name] = true // so does this
	}
	for _, v := range r.limits.Validators {
		page[v.Name] = page[v.Name] || v.Authority // it made the decision to accept: nobody has to tell it
	}
	seen := map[string]string{}
	r.see(func(v *history.View) {
		for _, reader := range v.Readers {
			if !page[reader.Name] {
				seen[reader.Name] = "reads " + reader.What
				if reader.What == runbook.JWKS {
					seen[reader.Name] = "fetches the key set (jwks)"
				}
			}
		}
		for emitter, credential := range v.Emitting {
			if !page[emitter] {
				seen[emitter] = "emits " + credential
			}
		}
	})
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	slices.Sort(names)
	refusals := make([]refusal, len(names))
	for i, name := range names {
		refusals[i] = refusal{name, fmt.Sprintf("%s is not on the page and %s", name, seen[name])}
	}
	return refusals
}

// strangers are those who presented the old credential at some time since the
// emitters switched, where a consumer presents it itself, and are neither on the
// page nor known to the rehearsal: a job that runs once an hour is not in the
// last second.
func (r *rotation) strangers(now history.Offset) []refusal {
	if r.limits.Hop == history.FromLoad {
		return nil // it is told by its tokens' emitter
	}
	var refusals []refusal
	r.see(func(v *history.View) {
		for _, key := range v.Keys() {
			_, known := r.limits.Emitter(key.Presenter)
			if key.Source != r.limits.Hop || key.Credential != Old || known {
				continue
			}
			if n := answered(v.Sum(key, v.PhaseStart[history.Overlap], now+1)); n > 0 {
				refusals = append(refusals, refusal{key.Presenter, fmt.Sprintf("%s is not on the page and presented %s to %s %s since %s was emitted",
					key.Presenter, Old, key.Validator, plan.Counted(n, "time"), New)})
			}
		}
	})
	return refusals
}
