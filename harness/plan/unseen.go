package plan

import (
	"fmt"
	goruntime "runtime"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// Unseen is a party of which a rehearsal cannot see what it has to judge, known
// before anything is started.
type Unseen struct {
	Party string
	Why   string // what cannot be seen, as a sentence about it
	Cure  string // the key of the scenario that makes it seen
}

// String is the whole of it in a line.
func (u Unseen) String() string { return u.Why + ": " + u.Cure }

// unseen are the parties of a plan that cannot be seen, or not be told apart, sorted. In an attached
// system its RuleSources say that.
func (b *builder) unseen(p *Plan) []Unseen {
	if b.s.Attach != nil {
		return nil
	}
	var found []Unseen
	for _, v := range p.Limits.Validators {
		found = append(found, b.untoldDeliveries(p, v)...)
		if v.OnPage && !v.Authority && !b.called(v.Name) && len(v.Fronts) == 0 && !slices.Contains(b.family.Poolers, b.s.Services[v.Name].Serve) {
			found = append(found, Unseen{v.Name, "no client of the load presents anything to " + v.Name, fmt.Sprintf("load: a client with %s", b.calling(v.Name))})
		}
	}
	for _, s := range p.Services {
		if alike := b.alike(p, s); len(alike) > 1 && alike[0] == s.Name {
			names := strings.Join(alike, " and ")
			for _, name := range alike {
				found = append(found, Unseen{name, fmt.Sprintf("%s cannot be told apart: they are processes without names of their own", names),
					fmt.Sprintf("services.%s.agent: how its User-Agent, or its application name at a database, begins", name)})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Unseen) int { return strings.Compare(a.Party, b.Party) })
	return found
}

// untoldDeliveries is an external receiver with an external sender, neither of which keeps a record
// that is read. Where the load presents the credentials, it has the answers.
func (b *builder) untoldDeliveries(p *Plan, v Validator) []Unseen {
	if !v.Reads || b.family.JudgedAt == history.FromLoad || !b.s.Services[v.Name].External() {
		return nil
	}
	for _, e := range p.Limits.Emitters {
		if !b.s.Services[e.Name].External() {
			return nil // its record tells what it was answered
		}
	}
	return []Unseen{{v.Name, fmt.Sprintf("nothing shows what %s takes: no log of it, or of its senders, is read", v.Name),
		"services: a sender with serve: sender, or a receiver with serve: receiver"}}
}

// called reports whether a client of the load has something presented to a validator. An external
// sender knows from its settings where to deliver what a client tells it.
func (b *builder) called(validator string) bool {
	for _, c := range b.s.Load {
		if c.To == validator || c.Endpoint == validator {
			return true
		}
		if to := b.s.Services[c.To]; b.family.Symmetric() && to.External() && b.emits(c.To) && slices.Contains(to.References(), validator) {
			return true
		}
	}
	return false
}

// fronts are the Fronts of a validator.
func (b *builder) fronts(v *Validator) (fronts []string) {
	if v.Authority || b.family.JudgedAt != history.FromLoad {
		return nil
	}
	for _, c := range b.s.Load {
		if c.To != v.Name && !slices.Contains(fronts, c.To) && b.leads(c.To, v.Name, nil) {
			fronts = append(fronts, c.To)
		}
	}
	return fronts
}

// leads reports whether an external service has the address of another in its settings, directly or
// through others.
func (b *builder) leads(from, to string, passed []string) bool {
	s, there := b.s.Services[from]
	if !there || !s.External() || slices.Contains(passed, from) {
		return false
	}
	return slices.ContainsFunc(s.References(), func(next string) bool { return next == to || b.leads(next, to, append(passed, from)) })
}

func (b *builder) calling(validator string) string {
	if b.family.Symmetric() && b.family.JudgedAt != history.FromLoad {
		return "endpoint: " + validator + ", or to a sender of your own that delivers there"
	}
	return "to: " + validator
}

// alike are the external services that reach the same party as one and that neither an address nor a
// name nor their processes tell apart, where one of them has a part in the rotation.
func (b *builder) alike(p *Plan, s Service) []string {
	nameless := func(name string) bool {
		service := b.s.Services[name]
		return service.External() && !service.NeedsImage() && service.Agent == ""
	}
	if !nameless(s.Name) {
		return nil
	}
	for _, to := range p.Services {
		if to.External() || !slices.Contains(b.told(), to.Serve) || !p.Reaches(s.Name, to.Name) || knowsProcesses(to.Serve) {
			continue
		}
		var alike []string
		takesPart := false
		for _, other := range p.Services {
			if nameless(other.Name) && p.Reaches(other.Name, to.Name) {
				alike = append(alike, other.Name)
				takesPart = takesPart || b.consumer(other.Name) != nil || b.validates(other.Name) || b.emits(other.Name)
			}
		}
		if len(alike) > 1 && takesPart {
			return alike
		}
	}
	return nil
}

// knowsProcesses reports whether a kind of stand-in says whose process called it (contract.Caller), which
// only Linux tells.
func knowsProcesses(serve string) bool {
	return goruntime.GOOS == "linux" && slices.Contains([]string{"issuer", "provider", "receiver", "postgres", "mariadb", "redis"}, serve)
}

// told are the kinds of stand-ins whose log names their callers: those that publish a key set, and
// those that check.
func (b *builder) told() []string {
	if b.page.Storage.Distribution == runbook.JWKS {
		return b.family.EmittedBy
	}
	return b.family.CheckedBy
}
