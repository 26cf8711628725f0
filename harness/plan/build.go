package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// Options override what a scenario says; zero values do not.
type Options struct {
	Gates    scenario.GateMode
	OnBudget scenario.OnBudget
	Speed    float64
	Seed     int64
	// RollbackFrom is the phase at whose end the rotation is taken back.
	RollbackFrom string
	// Simulated plans a rehearsal in virtual time, as a scenario's own runtime does:
	// nothing there keeps a duration to more than our own timers.
	Simulated bool
	// Paced slows a rehearsal down, where Speed does not say otherwise, to one in
	// which a person can act.
	Paced bool
	// Slower lowers a speed above MaxSpeed to MaxSpeed instead of failing, for callers that vary a
	// duration down to where the page's speed leaves too little of it.
	Slower bool
}

// Build makes a plan of a scenario and its page. A lead, window or watch that
// breaks a bound is planned as it is written: see Bounds. The error, if any,
// is source.Problems: options that do not exist, or a speed above MaxSpeed.
func Build(l *scenario.Loaded, o Options) (*Plan, error) {
	family, ok := runbook.Traits[l.Runbook.Scope.Family]
	if !ok {
		return nil, source.Problems{{
			Position: l.PagePosition("scope.family"), Path: "scope.family",
			Message: fmt.Sprintf("unknown family %q", l.Runbook.Scope.Family),
			Hint:    source.DidYouMean(l.Runbook.Scope.Family, runbook.FamilyNames()),
		}}
	}
	if problems := o.check(); problems != nil {
		return nil, problems
	}
	again, asked := l, o
	simulated := o.Simulated || l.Scenario.Runtime == scenario.Simulated
	if simulated && len(l.Scenario.Vary) > 0 {
		l, o.Slower = l.Drawn(cmp.Or(o.Seed, l.Scenario.Seed, DefaultSeed)), true
	}
	b := builder{loaded: l, page: l.Runbook, family: family, s: o.over(l.Scenario), asked: o}
	if problems := b.rotator(); problems != nil {
		return nil, problems
	}
	b.defaults()
	if o.Paced && o.Speed == 0 {
		b.s.Speed = b.pace()
	}
	p := &Plan{
		Name: l.Name, File: l.File, ScenarioDigest: l.ScenarioDigest, RunbookDigest: l.RunbookDigest,
		Runbook: b.page, Rehearsal: b.s,
		Speed: b.s.Speed, Seed: b.s.Seed, Gates: b.s.Gates, OnBudget: b.s.OnBudget,
		RollbackFrom: history.Phase(b.s.RollbackFrom), Compromised: b.s.Compromised,
		Services: b.services(), Folder: l.Folder, Position: l.Position, Limits: b.limits(),
	}
	if simulated && len(l.Scenario.Vary) > 0 {
		p.Drawn = map[string]time.Duration{}
		all := l.Durations()
		for path := range l.Scenario.Vary {
			p.Drawn[path] = all[path]
		}
		p.again = func(seed int64) (*Plan, error) {
			other := asked // several seeds may be drawn at the same time
			other.Seed = seed
			return Build(again, other)
		}
	}
	p.Limits.Gateways, p.Limits.Simulated = p.Gateways(), simulated
	for i := range p.Limits.Validators {
		v := &p.Limits.Validators[i]
		v.Alone = simulated && v.Fleet < 2 && !v.Authority // which counts how often it refuses
		if v.Blind = b.blind(*v); v.Blind && !v.Reads {
			v.Through = p.told(v.Name)
		}
		if s := b.s.Services[v.Name]; s.External() {
			v.Hands = slices.DeleteFunc(slices.Clone(s.References()), func(name string) bool {
				other, there := p.Limits.Validator(name)
				return name == v.Name || !there || other.Authority
			})
		}
		v.Fronts = b.fronts(v)
	}
	if b.family.Authority {
		for i := range p.Limits.Clients {
			p.Limits.Clients[i].Through = p.through(p.Limits.Clients[i].To)
		}
	}
	if p.Unseen = b.unseen(p); len(p.Unseen) > 0 {
		var why []string
		for _, u := range p.Unseen {
			why = append(why, u.Why)
		}
		p.Limits.RuleSources = append(p.Limits.RuleSources, RuleSource{Rule: "auth-failures-flat", From: strings.Join(slices.Compact(why), "; "), None: true})
	}
	p.Times = b.times(p.Limits)
	p.MaxSpeed, p.MaxSpeedBecause = b.maxSpeed(p.Limits)
	if p.Speed > p.MaxSpeed && o.Slower {
		o.Speed, o.Slower = p.MaxSpeed, false
		return Build(again, o)
	}
	if p.Speed > p.MaxSpeed || p.Speed != 1 && len(b.unscaled()) > 0 {
		problem := source.Problem{
			Position: l.Position("speed"), Path: "speed",
			Message: fmt.Sprintf("%v cannot be rehearsed: %s", p.Speed, p.MaxSpeedBecause),
			Hint:    fmt.Sprintf("at most %v", p.MaxSpeed),
		}
		if o.Speed != 0 {
			problem.Position, problem.Path = source.Position{File: "--speed"}, ""
		}
		return nil, source.Problems{problem}
	}
	return p, nil
}

// check reports options that do not exist.
func (o Options) check() source.Problems {
	var problems source.Problems
	refuse := func(flag, value string, allowed []string) {
		if value != "" && !slices.Contains(allowed, value) {
			problems = append(problems, source.Problem{
				Position: source.Position{File: flag},
				Message:  fmt.Sprintf("unknown value %q", value), Hint: source.DidYouMean(value, allowed),
			})
		}
	}
	refuse("--gates", string(o.Gates), scenario.GateModes)
	refuse("--on-budget", string(o.OnBudget), scenario.OnBudgets)
	if o.RollbackFrom != "" {
		if invalid := scenario.CheckRollbackFrom(o.RollbackFrom); invalid != nil {
			problems = append(problems, source.Problem{
				Position: source.Position{File: "--rollback-from"}, Message: invalid.Message, Hint: invalid.Hint,
			})
		}
	}
	if o.Speed != 0 && !(o.Speed >= scenario.LeastSpeed) { // so that NaN is refused too
		problems = append(problems, source.Problem{
			Position: source.Position{File: "--speed"}, Message: fmt.Sprintf("%v must be at least %g", o.Speed, scenario.LeastSpeed),
		})
	}
	return problems
}

// over applies the options to a scenario.
func (o Options) over(s scenario.Scenario) scenario.Scenario {
	if o.Gates != "" {
		s.Gates = o.Gates
	}
	if o.OnBudget != "" {
		s.OnBudget = o.OnBudget
	}
	if o.Speed != 0 {
		s.Speed = o.Speed
	}
	if o.Seed != 0 {
		s.Seed = o.Seed
	}
	if o.RollbackFrom != "" {
		s.RollbackFrom = o.RollbackFrom
	}
	return s
}

// builder makes the parts of one plan.
type builder struct {
	loaded *scenario.Loaded
	page   runbook.Runbook
	family runbook.FamilyTraits
	s      scenario.Scenario // with options and, once filled in, defaults
	asked  Options
}

// names are those of the services, sorted.
func (b *builder) names() []string { return slices.Sorted(maps.Keys(b.s.Services)) }

// consumer finds a service's consumer on the page; nil: it is not there.
func (b *builder) consumer(name string) *runbook.Consumer {
	for i := range b.page.Consumers {
		if b.page.Consumers[i].Name == name {
			return &b.page.Consumers[i]
		}
	}
	return nil
}

// emits reports whether a service signs with the secret or presents it.
func (b *builder) emits(name string) bool {
	c := b.consumer(name)
	return slices.Contains(b.family.EmittedBy, b.s.Services[name].Serve) || c != nil && c.Has(runbook.Emits)
}

// validates reports whether a service checks credentials, as far as the two
// files tell: by its kind, its role on the page, or its library.
func (b *builder) validates(name string) bool {
	s, c := b.s.Services[name], b.consumer(name)
	if a := b.s.Attach; a != nil && b.family.Authority {
		_, shown := a.Present[name]
		return shown
	}
	return slices.Contains(b.family.CheckedBy, s.Serve) || slices.Contains(b.family.Poolers, s.Serve) || s.Library != "" || c != nil && c.Has(runbook.Validates)
}

// services are those of the scenario with what the plan knows of them.
func (b *builder) services() []Service {
	var services []Service
	for _, name := range b.names() {
		s, c := b.s.Services[name], b.consumer(name)
		services = append(services, Service{
			Service: s, Name: name, OnPage: c != nil, Consumer: c,
			Needs: b.needs(name), Reads: b.reads(s),
		})
	}
	return services
}

// reads reports whether a service gets what is published: a stand-in by its kind, an external service
// by its settings.
func (b *builder) reads(s scenario.Service) bool {
	if s.External() {
		return s.Distribution != "" && s.Distribution != runbook.JWKS
	}
	return slices.Contains(b.family.ReadBy, s.Serve) && !s.AuthQuery
}

// needs are the services that must be healthy before one starts: the one that it takes its answers
// from, those that it presents to, and for an image the stand-ins whose addresses it is given, unless
// these wait for the image.
func (b *builder) needs(name string) []string {
	s := b.s.Services[name]
	needs := []string{}
	if b.family.Symmetric() && b.family.JudgedAt != history.FromLoad && slices.Contains(b.family.EmittedBy, s.Serve) {
		needs = slices.DeleteFunc(b.names(), func(other string) bool { return other == name || !b.validates(other) })
	}
	if s.Of != "" {
		needs = append(needs, s.Of)
	}
	for _, other := range s.References() {
		if there, known := b.s.Services[other]; known && other != name && !there.External() && !slices.Contains(b.chain(other), name) {
			needs = append(needs, other)
		}
	}
	slices.Sort(needs)
	return slices.Compact(needs)
}

// chain is a service and those that it takes its answers from, nearest first.
// Loading has found circles; the bound only keeps this loop from trusting it.
func (b *builder) chain(name string) []string {
	var chain []string
	for name != "" && len(chain) <= len(b.s.Services) {
		chain = append(chain, name)
		of := keySetsOf(name, b.page, b.s)
		if len(of) == 0 || b.emits(name) {
			break
		}
		name = of[0]
	}
	return chain
}

// times are the phases in wall time.
func (b *builder) times(l Limits) Times {
	return Times{
		Baseline:    l.Wall(b.s.Baseline.Duration()),
		Lead:        l.Wall(l.Lead),
		Propagation: l.Wall(l.Switching()),
		Window:      l.Wall(l.Window),
		Watch:       l.Wall(l.Watch),
		Timebox:     b.page.Schedule.Timebox.Duration(),
	}
}

// unscaled are the services whose settings are not divided by the speed. A service without `scale` that
// times nothing in the rehearsal does not count.
func (b *builder) unscaled() []string {
	return slices.DeleteFunc(b.names(), func(name string) bool {
		return b.s.Services[name].Scale != scenario.ScaleNone || !b.loaded.Says("services."+name+".scale") && !b.timed(name)
	})
}

// timed reports whether a rehearsal depends on how long an external service takes: it has a part in the
// rotation, holds the secret or the key set, is called by the load, or stands before such a service. An
// unrelated cache or queue does not count.
func (b *builder) timed(name string) bool {
	s := b.s.Services[name]
	if b.s.Attach != nil || b.consumer(name) != nil || b.validates(name) || b.emits(name) || b.reads(s) || b.called(name) || s.Of != "" || len(s.References()) > 0 {
		return true
	}
	for _, other := range b.s.Services {
		if other.Of == name {
			return true
		}
	}
	return false
}
