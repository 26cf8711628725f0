package plan

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// Pools reports whether a service is a pooler: it checks who logs in to it, and logs in
// itself to what is behind it.
func (p *Plan) Pools(name string) bool {
	return slices.Contains(runbook.Traits[p.Runbook.Scope.Family].Poolers, p.Rehearsal.Services[name].Serve)
}

// Reaches reports whether a service is set up to reach another: its `of` names it, or its settings have
// its address. A stand-in that presents a credential reaches every service that checks it.
func (p *Plan) Reaches(from, to string) bool {
	s, ok := p.Rehearsal.Services[from]
	if !ok {
		return false
	}
	if !s.External() {
		return true
	}
	for _, name := range s.References() {
		if name == to {
			return true
		}
	}
	return s.Of == to
}

// SoleClient is the only external service that is set up to reach another; "" where there is none or
// more than one. Calls under an unknown name are attributed to it.
func (p *Plan) SoleClient(of string) string {
	sole := ""
	for _, s := range p.Services {
		if s.Name == of || !s.External() || !p.Reaches(s.Name, of) {
			continue
		}
		if sole != "" {
			return ""
		}
		sole = s.Name
	}
	return sole
}

// through is the external emitter that presents on behalf of a service which has its address and
// presents nothing itself; "" where there is none or more than one.
func (p *Plan) through(service string) string {
	if s, ok := p.Rehearsal.Services[service]; !ok || !s.External() {
		return ""
	}
	if _, emits := p.Limits.Emitter(service); emits {
		return ""
	}
	found := ""
	for _, e := range p.Limits.Emitters {
		if p.Rehearsal.Services[e.Name].External() && p.Reaches(service, e.Name) {
			if found != "" {
				return ""
			}
			found = e.Name
		}
	}
	return found
}
