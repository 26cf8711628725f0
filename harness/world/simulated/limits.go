package simulated

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// Beyond says what a plan depends on that this world does not have, a clause each; empty: nothing. It
// presents a credential with each request and has no connections that could outlive a revoke or be
// ended by one. Its authorities have room for every credential. It knows of an external program only
// its settings, not the page's claims.
func Beyond(p *plan.Plan) (beyond []string) {
	say := func(format string, args ...any) { beyond = append(beyond, fmt.Sprintf(format, args...)) }
	if p.Rehearsal.Attach != nil {
		say("it is about a system that runs already")
	}
	for _, s := range p.Services {
		if s.External() {
			say("what %s does is in a program of its own, and not on the page", s.Name)
		}
	}
	for _, f := range p.Rehearsal.Faults {
		if kinds[f.Kind] != nil {
			continue
		}
		why := without[f.Kind]
		if why == "" {
			why = "this world does not have it"
		}
		say("the fault %s: %s", f.Kind, why)
	}
	pools := runbook.Traits[p.Limits.Family].Pools
	switch {
	case slices.ContainsFunc(p.Services, func(s plan.Service) bool { return s.KeepsSessions }):
		say("sessions that outlive the revoke: there are no connections here")
	case slices.ContainsFunc(p.Limits.Validators, func(v plan.Validator) bool { return v.Connections > 0 }):
		say("a database with room for so many connections: there are none here")
	case slices.ContainsFunc(p.Limits.Emitters, func(m plan.Emitter) bool { return m.SwapsPool }):
		say("a new pool beside the old one: there are no connections here")
	case slices.ContainsFunc(p.Limits.Validators, func(v plan.Validator) bool { return v.Authority && v.Keys > 0 }):
		say("an authority with room for one credential")
	case slices.ContainsFunc(p.Services, func(s plan.Service) bool {
		return slices.Contains(runbook.Traits[p.Limits.Family].Poolers, s.Serve)
	}):
		say("a pooler before the database")
	case pools && slices.ContainsFunc(p.Limits.Emitters, func(m plan.Emitter) bool { return p.Limits.Window < p.Limits.Outlives(m.Life) }):
		say("connections that the revoke ends while they are in use: there are none here")
	}
	return beyond
}
