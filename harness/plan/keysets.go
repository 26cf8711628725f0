package plan

import (
	"regexp"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// KeySetsOf are the services whose key set a service fetches, sorted: the one that its `of` names, or
// those whose address its settings have with the page's path of the key set. Without such a setting it
// is the only emitter or gateway whose address it has or, of a service that is no consumer itself, as a
// balancer, the emitters on the page whose address it has.
func (p *Plan) KeySetsOf(name string) []string { return keySetsOf(name, p.Runbook, p.Rehearsal) }

func keySetsOf(name string, page runbook.Runbook, s scenario.Scenario) []string {
	service := s.Services[name]
	switch {
	case service.Of != "":
		return []string{service.Of}
	case !service.External() || page.Storage.JWKS == "" || page.Storage.Distribution != runbook.JWKS:
		return nil
	}
	var at, of []string
	for _, other := range service.References() {
		if _, ok := s.Services[other]; !ok || other == name {
			continue
		}
		address := regexp.MustCompile(`\{\{-?\s*\.` + regexp.QuoteMeta(other) + `\.url\s*-?\}\}` + regexp.QuoteMeta(page.Storage.JWKS))
		if slices.ContainsFunc(service.Settings(), address.MatchString) {
			at = append(at, other)
		}
		of = append(of, other)
	}
	named := func(name string) func(runbook.Consumer) bool {
		return func(c runbook.Consumer) bool { return c.Name == name }
	}
	switch {
	case len(at) > 0 || service.Library != "":
	case len(of) == 1:
		return of
	case !slices.ContainsFunc(page.Consumers, named(name)):
		return slices.DeleteFunc(of, func(other string) bool {
			i := slices.IndexFunc(page.Consumers, named(other))
			return i < 0 || !page.Consumers[i].Has(runbook.Emits)
		})
	}
	return at
}

// SignerOf is the signer of the tokens that a service gives out: the emitter behind it, where the
// service hands tokens on, else itself.
func (p *Plan) SignerOf(name string) string { return signerOf(p.Rehearsal, p.Limits, name) }

func signerOf(s scenario.Scenario, l Limits, name string) string {
	of := s.Services[name].Of
	_, signs := l.Emitter(name)
	if _, other := l.Emitter(of); other && !signs {
		return of
	}
	return name
}

// Gateways are the external services that hand on a key set which others make, sorted.
func (p *Plan) Gateways() []Gateway {
	var names []string
	for _, s := range p.Services {
		for _, of := range p.KeySetsOf(s.Name) {
			from := p.Rehearsal.Services[of]
			if _, emits := p.Limits.Emitter(of); from.External() && !emits {
				names = append(names, of)
			}
		}
	}
	slices.Sort(names)
	var gateways []Gateway
	for _, name := range slices.Compact(names) {
		gateways = append(gateways, Gateway{Name: name, Of: p.KeySetsOf(name)})
	}
	return gateways
}

// told is the gateway that fetches a validator's key set from services whose log shows it; "" where
// there is none, or several ways.
func (p *Plan) told(validator string) string {
	name := validator
	for range p.Services { // a way has no more steps
		of := p.KeySetsOf(name)
		if len(of) > 0 && name != validator && !slices.ContainsFunc(of, func(from string) bool { return p.Rehearsal.Services[from].External() }) {
			return name
		}
		if len(of) != 1 || !p.Rehearsal.Services[of[0]].External() {
			return ""
		}
		name = of[0]
	}
	return ""
}

// blind reports whether no log shows the fetches of a validator: it is external and reads the secret
// itself, as from a file, or whatever it fetches from is external. The store's log has
// who polls it.
func (b *builder) blind(v Validator) bool {
	if v.Authority || !b.s.Services[v.Name].External() || b.s.Attach != nil {
		return false
	}
	if v.Reads {
		return b.s.Services[v.Name].Distribution != runbook.Poll || b.s.Services[v.Name].Replicas > 1 // of several, nobody knows which has read
	}
	of := keySetsOf(v.Name, b.page, b.s)
	if len(of) == 0 {
		of = []string{v.From}
	}
	return slices.ContainsFunc(of, func(name string) bool { return b.s.Services[name].External() })
}
