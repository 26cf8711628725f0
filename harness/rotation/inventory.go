package rotation

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// outsiders are parties that were seen with the secret and are not on the page.
func (l Look) outsiders() []refusal {
	page := map[string]bool{}
	for _, name := range l.OnPage {
		page[name] = true
	}
	for _, c := range l.Limits.Caches {
		page[c.Name] = true // it reads for those behind it
	}
	for _, g := range l.Limits.Gateways {
		page[g.Name] = true // so does this
	}
	for _, v := range l.Limits.Validators {
		page[v.Name] = page[v.Name] || v.Authority // it decided the accept itself, and need not learn it
	}
	seen := map[string]string{}
	for _, reader := range l.View.Readers {
		if !page[reader.Name] {
			seen[reader.Name] = "reads " + reader.What
			if reader.What == runbook.JWKS {
				seen[reader.Name] = "fetches the key set (jwks)"
			}
		}
	}
	for emitter, credential := range l.View.Emitting {
		if !page[emitter] {
			seen[emitter] = "emits " + credential
		}
	}
	for name, fetches := range l.View.Fetching { // by its own log, where the store keeps none that is read, such as a team's own Vault
		if !page[name] && seen[name] == "" && fetches.Count > 0 {
			seen[name] = "fetches what is published"
		}
	}
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	slices.Sort(names)
	refusals := make([]refusal, len(names))
	for i, name := range names {
		refusals[i] = refusal{consumer: name, why: fmt.Sprintf("%s is not on the page and %s", name, seen[name])}
	}
	return refusals
}

// strangers are presenters of the old credential since the emitters switched that are neither on the
// page nor known to the rehearsal, in families whose consumers present it themselves. The whole time
// counts: a job that runs once an hour is not in the last second.
func (l Look) strangers() []refusal {
	if l.Limits.JudgedAt == history.FromLoad {
		return nil // the emitter of its tokens is told to switch
	}
	var refusals []refusal
	for _, key := range l.View.Keys() {
		_, known := l.Limits.Emitter(key.Presenter)
		if key.Source != l.Limits.JudgedAt || key.Credential != Old || known {
			continue
		}
		sum := l.View.Sum(key, l.View.PhaseStart[history.Overlap], l.Now+1)
		if n := sum.Answered(); n > 0 {
			refusals = append(refusals, refusal{consumer: key.Presenter, why: fmt.Sprintf("%s is not on the page and presented %s to %s %s since %s was emitted",
				key.Presenter, Old, key.Validator, plan.Counted(n, "time"), New)})
		}
	}
	return refusals
}
