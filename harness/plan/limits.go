package plan

import (
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// limits are what the judge holds the history against. What the page says of a party wins over how the
// scenario sets it up: a rehearsal finds out whether the page is right.
func (b *builder) limits() Limits {
	l := Limits{
		Family:      b.family.Name,
		Speed:       b.s.Speed,
		JudgedAt:    b.family.JudgedAt,
		Objective:   float64(b.page.Verification.SLO.Objective),
		BudgetOver:  float64(b.page.Rollback.When.AuthFailuresOver),
		BudgetFor:   b.page.Rollback.When.For.Duration(),
		Gates:       string(b.s.Gates),
		OnBudget:    string(b.s.OnBudget),
		Lead:        b.page.Rollout.Lead.Duration(),
		Propagation: b.page.Rollout.Propagation.Duration(),
		Window:      b.page.Overlap.Window.Duration(),
		Watch:       b.page.Rollout.Watch.Duration(),
		LongestLife: b.page.Format.LongestLife.Duration(),
		Checks:      b.page.Verification.Checks,
		Compromised: b.s.Compromised,
		Validators:  []Validator{},
		Emitters:    []Emitter{},
		Clients:     []Client{},
	}
	if a := b.s.Attach; a != nil {
		l.Waived, l.Expires = a.Waive, a.Steps[string(keyring.Revoke)].Expires.Duration()
		for _, step := range []keyring.Step{keyring.Accept, keyring.Emit, keyring.Revoke} {
			if a.Rotates(string(step)) {
				l.Rotated = append(l.Rotated, string(step))
			}
		}
		for name, act := range a.Steps {
			if act.Cannot != "" {
				if l.Cannot == nil {
					l.Cannot = map[string]string{}
				}
				l.Cannot[name] = act.Cannot
			}
		}
	}
	if l.Propagation == 0 {
		l.Propagation, l.PropagatedBy = b.arrives()
	}
	for _, e := range b.page.Overlap.Exceptions {
		l.Exceptions = append(l.Exceptions, Exception{Client: e.Client, Until: e.Until.Duration()})
	}
	for _, name := range b.names() {
		s := b.s.Services[name]
		if s.Refusal != nil {
			l.Refusals = append(l.Refusals, name)
		}
		if b.emits(name) {
			l.Emitters = append(l.Emitters, b.emitterLimits(name))
		}
		if b.validates(name) {
			l.Validators = append(l.Validators, b.validator(name))
		}
		if s.Serve == "cache" || s.Serve == "relay" {
			l.Caches = append(l.Caches, Cache{Name: name, Of: s.Of, TTL: s.TTL.Duration(), Fleet: s.Count})
		}
	}
	for _, c := range b.s.Load {
		client := Client{Name: c.Client, To: c.To, Endpoint: c.Endpoint, Rate: float64(c.Rate), Later: c.From != nil, Sessions: c.Sessions, Timeout: c.Timeout.Duration()}
		if c.Count > 1 {
			client.group(c.Most())
		}
		if c.Token != nil {
			client.From, client.Life = signerOf(b.s, l, c.Token.From), c.Token.Life.Duration()
		}
		l.Clients = append(l.Clients, client)
	}
	return l
}

// OnAnother are the emitters on the page that once used one of two credentials and were last seen to
// use neither: another rotation began before this one ended. An emitter never seen with either has
// other names for them, as where a log does not name the key.
func (l Limits) OnAnother(view *history.View, old, fresh string) []string {
	var names []string
	for _, e := range l.Emitters {
		if uses := view.Emitting[e.Name]; e.OnPage && uses != "" && uses != old && uses != fresh && !namedOtherwise(view, e.Name, old, fresh) {
			names = append(names, e.Name)
		}
	}
	return names
}

// NamedOtherwise reports whether an emitter, and what its clients present, was only ever seen under
// names other than those of the two credentials: it names its keys differently, and nobody can tell
// which of the two it uses.
func (l Limits) NamedOtherwise(view *history.View, emitter, old, fresh string) bool {
	e, ok := l.Emitter(emitter)
	return ok && e.OnPage && namedOtherwise(view, emitter, old, fresh) && slices.ContainsFunc(l.Clients, func(c Client) bool {
		return c.From == emitter && len(view.Cells[history.CellKey{Source: l.JudgedAt, Presenter: c.Name, Validator: c.To, Credential: view.Emitting[emitter]}]) > 0
	})
}

func namedOtherwise(view *history.View, emitter, old, fresh string) bool {
	_, usedOld := view.Switched[emitter][old]
	_, usedFresh := view.Switched[emitter][fresh]
	return view.Emitting[emitter] != "" && !usedOld && !usedFresh
}

// NoWayBack reports whether there is no way back after a phase, and why: the system cannot give back
// what was revoked.
func (l Limits) NoWayBack(phase history.Phase) (why string, none bool) {
	why, none = l.Cannot[string(keyring.Restore)]
	return why, none && phase == history.Watch
}

// arrives is the longest time in which what is published reaches a consumer on the page, by the
// defaults of its distribution, and which distribution that is.
func (b *builder) arrives() (most time.Duration, of string) {
	for _, name := range b.names() {
		if s := b.s.Services[name]; b.consumer(name) != nil && b.reads(s) {
			if b.page.Storage.Immutable && runbook.Mounted(s.Distribution) {
				s.Distribution = runbook.SecretEnv // external: its volume differs
			}
			if takes, by := runbook.Arrives(s.Distribution); takes > most {
				most, of = takes, by
			}
		}
	}
	return most, of
}

func (b *builder) emitterLimits(name string) Emitter {
	e := Emitter{
		Name: name, Refresh: b.s.Services[name].Refresh.Duration(), Reloaded: b.s.Services[name].Reload != nil,
		Several: slices.Contains(b.family.Several, b.page.Format.Type),
	}
	if c := b.consumer(name); c != nil {
		e.OnPage = true
		if c.Refresh > 0 {
			e.Refresh = c.Refresh.Duration()
		}
	}
	if b.family.Pools {
		s := b.s.Services[name]
		e.Pool, e.SwapsPool, e.Life = s.Pool, s.SwapsPool, s.Life.Duration()
	}
	if e.Refresh == 0 && runbook.Way(b.s.Services[name].Distribution) != runbook.Env {
		e.Refresh = DefaultRefresh.Duration()
	}
	return e
}

func (b *builder) validator(name string) Validator {
	s, c := b.s.Services[name], b.consumer(name)
	v := Validator{Name: name, OnPage: c != nil, Library: s.Library, Reloaded: s.Reload != nil}
	if s.Count > 1 {
		v.Fleet = s.Count
	}
	if v.Library == "" && c != nil {
		v.Library = c.Library // of an image
	}
	pooler := slices.Contains(b.family.Poolers, s.Serve)
	if b.family.Authority && !(pooler && b.reads(s)) {
		// The authority: it is no consumer, and the step itself decides what it accepts. A pooler that
		// asks it at every login is as fast.
		v.Authority, v.OnPage, v.Keys, v.Connections = true, true, s.Holds, s.Connections
		if pooler {
			v.Keys = b.s.Services[s.Of].Holds
		}
		v.Behind = b.behind(name)
	} else {
		v.Learns, v.Forgets = runbook.Forever, runbook.Forever
	}
	if library, known := runbook.Libraries[v.Library]; known {
		v.Learns, v.Forgets = library.Learns, library.Forgets
		v.Granule, v.Keys, v.OnMiss, v.Cooldown = library.Granularity, library.Keys, library.OnMiss, library.Cooldown
	}
	if b.family.Symmetric() || pooler && b.reads(s) || b.givenKeys(name) {
		v.Reads, v.GivenOne = true, s.GivenOne()
		v.Reloaded = v.Reloaded || runbook.Way(s.Distribution) == runbook.Env
		if c != nil && c.Refresh > 0 {
			v.Learns, v.Forgets = c.Refresh.Duration(), c.Refresh.Duration()
			if !s.Pinned && s.Refresh != c.Refresh {
				v.Rereads, v.Keeps = s.Refresh.Duration(), s.Refresh.Duration()
			}
		}
	}
	if c != nil && c.Cooldown != nil && !v.Authority && !v.Reads {
		v.OnMiss, v.Cooldown = true, c.Cooldown.Duration()
		v.Learns = v.Cooldown
	}
	if c != nil && c.LearnsWithin != nil {
		v.Learns = c.LearnsWithin.Duration()
	}
	if c != nil && c.ForgetsWithin != nil {
		v.Forgets = c.ForgetsWithin.Duration()
	}
	switch {
	case c == nil || !v.Reads:
	case c.SubPath:
		v.Learns, v.Forgets = runbook.Forever, runbook.Forever
	case s.Distribution == runbook.SecretEnv && c.LearnsWithin == nil && c.ForgetsWithin == nil: // with the rollout, which is the propagation
		v.Learns, v.Forgets, v.Rereads, v.Keeps = 0, 0, 0, 0
	}
	if library, known := runbook.Libraries[s.Library]; known && !s.External() {
		// A stand-in does what its library does, whatever the page says of it.
		v.Rereads, v.Keeps = more(library.Learns, v.Learns), more(library.Forgets, v.Forgets)
	}
	if !v.Authority && !v.Reads {
		v.From, v.Via, v.Shared = b.source(name)
	}
	return v
}

// givenKeys reports whether a service of a team's own is given public keys as it would be a
// secret, in files or variables, and has the address of no key set.
func (b *builder) givenKeys(name string) bool {
	s := b.s.Services[name]
	return s.External() && !b.family.Authority && b.reads(s) && len(keySetsOf(name, b.page, b.s)) == 0
}

// behind is the pooler through which all consumers reach an authority; "" where one reaches it
// directly, or there is none.
func (b *builder) behind(authority string) string {
	pooler := ""
	for _, name := range b.names() {
		s := b.s.Services[name]
		reaches := s.Of == authority || slices.Contains(s.References(), authority)
		switch {
		case !reaches:
		case slices.Contains(b.family.Poolers, s.Serve):
			pooler = name
		default:
			return ""
		}
	}
	return pooler
}

// more is a real figure where it is finite and larger than the page's claim; else 0.
func more(is, claimed time.Duration) time.Duration {
	if is > claimed && is != runbook.Forever {
		return is
	}
	return 0
}

// source is the emitter whose credentials a validator takes, the first cache on the way there, and how
// old an answer through all caches may be.
func (b *builder) source(validator string) (from, via string, shared time.Duration) {
	next := b.emitter() // without `of` it takes what the page's emitter publishes
	if of := keySetsOf(validator, b.page, b.s); len(of) > 0 {
		next = of[0]
	}
	for _, name := range b.chain(next) {
		if s := b.s.Services[name]; s.Serve == "cache" || s.Serve == "relay" {
			shared += s.TTL.Duration()
			if via == "" {
				via = name
			}
		} else if b.emits(name) {
			return name, via, shared
		} else if via == "" {
			via = name // a gateway of a team's own
		}
	}
	if b.s.Services[validator].External() {
		return b.emitter(), "", 0
	}
	return "", via, shared
}
