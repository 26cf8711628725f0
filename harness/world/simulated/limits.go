package simulated

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// Beyond says what a plan hangs on that this world does not have; empty:
// nothing. It presents a credential with each request and knows no connections:
// none that outlives a revoke, or is ended by one. Its authorities have room for
// every credential.
func Beyond(p *plan.Plan) string {
	pools := runbook.Families[p.Limits.Family].Pools
	switch {
	case slices.ContainsFunc(p.Services, func(s plan.Service) bool { return s.KeepsSessions }):
		return "sessions that outlive the revoke"
	case slices.ContainsFunc(p.Limits.Validators, func(v plan.Validator) bool { return v.Connections > 0 }):
		return "a database with room for so many connections"
	case slices.ContainsFunc(p.Limits.Emitters, func(m plan.Emitter) bool { return m.SwapsPool }):
		return "a new pool beside the old one"
	case slices.ContainsFunc(p.Limits.Validators, func(v plan.Validator) bool { return v.Authority && v.Keys > 0 }):
		return "an authority with room for one credential"
	case slices.ContainsFunc(p.Limits.Validators, func(v plan.Validator) bool { return v.Reads && !polls(p, v.Name) }):
		return "a receiver to which the secret is brought"
	case slices.ContainsFunc(p.Services, func(s plan.Service) bool {
		return slices.Contains(runbook.Families[p.Limits.Family].Poolers, s.Serve)
	}):
		return "a pooler before the database"
	case pools && slices.ContainsFunc(p.Limits.Emitters, func(m plan.Emitter) bool { return p.Limits.Window < p.Limits.Outlives(m.Life) }):
		return "connections that the revoke ends while they are in use"
	}
	return ""
}

// polls reports whether a service reads what is published at the store itself.
func polls(p *plan.Plan, name string) bool {
	return slices.ContainsFunc(p.Services, func(s plan.Service) bool { return s.Name == name && s.Distribution == runbook.Poll })
}
