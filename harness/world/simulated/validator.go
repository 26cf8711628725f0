package simulated

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// validator decides about presented credentials by the key set that it fetched last; an authority by
// the keyring.
type validator struct {
	world     *World
	name      string
	source    string // emitter or cache that it fetches from
	behaviour Behaviour
	pinned    bool
	authority bool
	reads     bool // the published secret itself
	lags      bool // goes on taking what is revoked
	lagged    bool // went on so with something

	// What somebody else removed from an authority, and put back there.
	thrownOut []string
	putBack   string

	holds    []string // as seen from outside: the last set that was fetched
	replicas []*replica
	fleet    bool           // equal replicas: it has learned or forgotten something when all have
	held     map[string]int // how many replicas hold a credential
	random   *rand.Rand     // which replica meets a presentation
	fetches  int
	lockout  lockout
}

// mostReplicas is how many replicas are simulated of many equal validators: each stands for several.
const mostReplicas = 1000

// replica is one replica of a validator, with a cache of its own.
type replica struct {
	behaviour Behaviour
	holds     []string
	missed    bool // an unknown credential has made it fetch, last at missAt
	missAt    history.Offset
}

func newValidator(w *World, v plan.Validator) *validator {
	made := &validator{
		world: w, name: v.Name, source: v.Via, behaviour: behaviour(v),
		pinned: w.options.Pinned[v.Name], authority: v.Authority, random: w.random(v.Name + " replicas"),
	}
	if made.source == "" {
		made.source = v.From
	}
	if v.Reads {
		made.source = storeName
		made.readsItself(w.services[v.Name], v.Learns)
	}
	if other, ok := w.options.Validators[v.Name]; ok {
		made.behaviour = other
	}
	for _, b := range w.options.Replicas[v.Name] {
		made.replicas = append(made.replicas, &replica{behaviour: b})
	}
	if v.Fleet > 1 {
		made.fleet = true
		for range min(v.Fleet, mostReplicas) {
			made.replicas = append(made.replicas, &replica{behaviour: made.behaviour})
		}
	}
	if len(made.replicas) == 0 {
		made.replicas = []*replica{{behaviour: made.behaviour}}
	}
	return made
}

// behaviour is a validator's behaviour: its library's where known, since the page's claim may be wrong;
// otherwise the page's.
func behaviour(v plan.Validator) Behaviour {
	library, known := runbook.Libraries[v.Library]
	if !known {
		library = runbook.Library{Learns: v.Learns, Forgets: v.Forgets, OnMiss: v.OnMiss || v.Learns == 0, Keys: v.Keys}
	}
	b := Behaviour{OnMiss: library.OnMiss, Cooldown: library.Cooldown, Keys: library.Keys}
	b.Refresh = library.Forgets
	if !b.OnMiss {
		b.Refresh = min(library.Learns, library.Forgets)
	}
	if b.Refresh == runbook.Forever {
		b.Refresh = 0
	}
	return b
}

func (v *validator) start() {
	if v.authority {
		v.keep(v.world.accepted())
		return
	}
	for i, r := range v.replicas {
		v.fetch(r)
		fetch := func() { v.fetch(r) }
		switch refresh := v.wall(r.behaviour.Refresh); {
		case v.pinned:
		case v.fleet: // as evenly spaced as very many are
			v.world.everyFrom(v.world.phase(v.name, refresh)+refresh*history.Offset(i)/history.Offset(len(v.replicas)), refresh, fetch)
		case i > 0:
			v.world.every(fmt.Sprintf("%s %d", v.name, i), refresh, fetch)
		default:
			v.world.every(v.name, refresh, fetch)
		}
	}
}

func (v *validator) wall(page time.Duration) history.Offset {
	return history.Offset(v.world.limits.Wall(page))
}

// fetch makes a replica take over the key set; after a failed fetch it keeps its own.
func (v *validator) fetch(r *replica) {
	w := v.world
	if w.down[v.name] || w.heldBack[v.name] {
		return
	}
	v.fetches++
	from := v.source
	if c := w.inserted[edge{v.name, v.source}]; c != nil {
		from = c.name
	}
	set, failed := w.read(v)
	if failed != "" {
		w.record(history.Event{Kind: history.KindFetchFailed, Service: v.name, From: from, Detail: failed})
		return
	}
	kept := set
	if r.behaviour.Keys > 0 && len(set) > r.behaviour.Keys {
		kept = set[:r.behaviour.Keys]
	}
	w.record(history.Event{Kind: history.KindFetched, Service: v.name, Credentials: set, Holds: kept, From: from})
	if v.fleet {
		v.keep(v.common(r, kept))
	} else {
		v.keep(kept)
	}
	if r.behaviour.KeepsAll {
		for _, c := range r.holds {
			if !slices.Contains(kept, c) {
				kept = append(slices.Clone(kept), c)
			}
		}
	}
	if !slices.Equal(r.holds, kept) {
		w.touch(v.name)
		r.holds = kept
	}
}

// common are the credentials that a fleet has learned and not forgotten once a replica has a set: those
// that all hold and, of those learned before, those that any still holds.
func (v *validator) common(r *replica, set []string) (all []string) {
	if v.held == nil {
		v.held = map[string]int{}
	}
	for _, c := range r.holds {
		v.held[c]--
	}
	for _, c := range set {
		v.held[c]++
	}
	for _, c := range slices.Sorted(maps.Keys(v.held)) {
		if n := v.held[c]; n == len(v.replicas) || n > 0 && slices.Contains(v.holds, c) {
			all = append(all, c)
		}
	}
	return all
}

// storeName is the store's name among services, in events of validators that read the published secret.
const storeName = "store"

// read is the set that a validator's source has now, or why it cannot be had.
func (w *World) read(v *validator) (set []string, failed string) {
	if !v.reads {
		return w.fetch(v.name, v.source)
	}
	if !w.reaches(v.name, storeName) {
		return nil, "connection refused"
	}
	w.record(history.Event{Kind: history.KindRead, Service: storeName, Reader: v.name, What: w.plan.Runbook.Storage.Publish.Path})
	return w.published.set, ""
}

// keep replaces what the validator takes, and records what it learned and forgot.
func (v *validator) keep(credentials []string) {
	before := v.holds
	if !slices.Equal(before, credentials) {
		v.world.touch(v.name)
	}
	v.holds = credentials
	for _, c := range credentials {
		if !slices.Contains(before, c) {
			v.world.record(history.Event{Kind: history.KindLearned, Service: v.name, Credential: c})
		}
	}
	for _, c := range before {
		if !slices.Contains(credentials, c) {
			v.world.record(history.Event{Kind: history.KindForgot, Service: v.name, Credential: c})
		}
	}
}

const (
	// serverError is the status of those that err.
	serverError = "500"
	// noAnswer is that of those that do not answer in time.
	noAnswer = "timeout"
)

// answer is a validator's answer to a credential and its presenter in the present state.
type answer struct {
	outcome history.Outcome
	status  string
	// acts says that asking changes something, or that chance decides the answer.
	acts bool
	// until is when the answer begins to act, where nothing else changes; 0: never.
	until history.Offset
	// share is the part of a validator's replicas that answer so, while the others take the credential;
	// chance decides which is asked. 0: all answer so.
	share float64
}

// draw is the answer of a random replica.
func (a answer) draw(random *rand.Rand) (history.Outcome, string) {
	if a.share > 0 && random.Float64() >= a.share {
		return history.OK, "200"
	}
	return a.outcome, a.status
}

// answers is the validator's answer, without asking it.
func (v *validator) answers(presenter, credential string) answer {
	w := v.world
	switch {
	case w.down[v.name] && w.frozen[v.name]:
		return answer{outcome: history.Unavailable, status: noAnswer}
	case w.down[v.name]:
		return answer{outcome: history.Unavailable, status: "refused"}
	case w.broken[edge{presenter, v.name}] != "":
		return answer{outcome: history.Unavailable, status: w.broken[edge{presenter, v.name}]}
	case w.options.Erring[v.name]:
		return answer{outcome: history.Unavailable, status: serverError}
	case w.now() < v.lockout.until:
		return answer{outcome: history.AuthFailure, status: "403"} // that it ends is an event
	}
	return v.together(presenter, credential)
}

// together is the answer of its replicas, of which chance picks one.
func (v *validator) together(presenter, credential string) answer {
	if v.fleet && !v.fetchesOnMiss(v.replicas[0]) { // they then differ only in what they hold
		name := v.world.nameOn(presenter, credential)
		with := v.answersOf(&replica{behaviour: v.behaviour, holds: []string{name}}, presenter, credential)
		without := v.answersOf(&replica{behaviour: v.behaviour}, presenter, credential)
		return among(without, with, len(v.replicas)-v.held[name], len(v.replicas))
	}
	all := v.answersOf(v.replicas[0], presenter, credential)
	refused := 0
	for _, r := range v.replicas {
		a := v.answersOf(r, presenter, credential)
		all.acts = all.acts || a.acts
		if a.until > 0 && (all.until == 0 || a.until < all.until) {
			all.until = a.until
		}
		if a.outcome == history.AuthFailure {
			all.outcome, all.status = a.outcome, a.status
			refused++
		}
	}
	return among(all, answer{outcome: history.OK, status: "200", acts: all.acts, until: all.until}, refused, len(v.replicas))
}

// among combines the answer of n of the replicas with that of the rest, who take it.
func among(one, other answer, n, of int) answer {
	switch n {
	case 0:
		return other
	case of:
		return one
	}
	if one.outcome != other.outcome {
		one.share = float64(n) / float64(of)
	}
	return one
}

// answersOf is the answer of one replica.
func (v *validator) answersOf(r *replica, presenter, credential string) answer {
	w := v.world
	holds := r.holds
	if v.authority {
		holds = v.holds
	}
	refused := answer{outcome: history.AuthFailure, status: "401", acts: w.services[v.name].Lockout != nil}
	if !v.takesType(credential) { // a library looks at the type before it looks for a key
		return refused
	}
	name := w.nameOn(presenter, credential)
	has := slices.Contains(holds, name)
	switch {
	case !has && v.mayFetch(r):
		refused.acts = true
	case !has && v.fetchesOnMiss(r):
		refused.until = r.missAt + v.wall(r.behaviour.Cooldown)
	case has && name == credential && w.fits(v.name, credential) && w.fits(presenter, credential):
		return answer{outcome: history.OK, status: "200"}
	}
	return refused
}

// decide asks the validator, with all consequences.
func (v *validator) decide(presenter, credential string) (history.Outcome, string) {
	a := v.answers(presenter, credential)
	if !a.acts {
		return a.draw(v.random)
	}
	w, r := v.world, v.replicas[0]
	w.touch(v.name)
	if n := len(v.replicas); n > 1 {
		r = v.replicas[v.random.IntN(n)]
	}
	if v.takesType(credential) && !slices.Contains(r.holds, w.nameOn(presenter, credential)) && v.mayFetch(r) {
		r.missed, r.missAt = true, w.now()
		v.fetch(r)
	}
	if a = v.answersOf(r, presenter, credential); a.outcome == history.AuthFailure {
		v.refuse(presenter, credential)
	}
	return a.outcome, a.status
}

func (v *validator) mayFetch(r *replica) bool {
	return v.fetchesOnMiss(r) && (!r.missed || v.world.now()-r.missAt >= v.wall(r.behaviour.Cooldown))
}

// fetchesOnMiss reports whether an unknown credential makes a replica fetch.
func (v *validator) fetchesOnMiss(r *replica) bool {
	return r.behaviour.OnMiss && !v.authority && !v.pinned
}

// decided makes an authority take what is accepted now, and refuse the rest after its lag.
func (v *validator) decided() {
	w := v.world
	accepted := slices.DeleteFunc(slices.Clone(w.accepted()), func(c string) bool { return slices.Contains(v.thrownOut, c) })
	if v.putBack != "" {
		accepted = append(accepted, v.putBack)
	}
	lag := v.wall(w.services[v.name].Lag.Duration())
	if v.lags {
		lag = history.Offset(runbook.Forever)
	}
	if lag <= 0 {
		v.keep(accepted)
		return
	}
	stays := slices.Clone(accepted)
	var gone []string
	for _, c := range v.holds {
		if !slices.Contains(stays, c) {
			stays, gone = append(stays, c), append(gone, c)
		}
	}
	v.keep(stays)
	v.lagged = v.lagged || v.lags && len(gone) > 0
	if len(gone) == 0 || v.lags {
		return
	}
	// Only what is revoked now: a later revoke has a lag of its own.
	w.clock.at(w.now()+lag, func() {
		v.keep(slices.DeleteFunc(slices.Clone(v.holds), func(c string) bool {
			return slices.Contains(gone, c) && !slices.Contains(w.accepted(), c)
		}))
	})
}

// slots is how many credentials an authority holds at a time.
const slots = 2

// full reports whether an authority has no free slot.
func (w *World) full() bool {
	for _, v := range w.validators {
		if v.authority && w.services[v.name].Taken+len(w.keyring.In(keyring.Accepted)) >= slots {
			return true
		}
	}
	return false
}

// accepted are the credentials that an authority takes.
func (w *World) accepted() []string {
	if w.crossed != nil {
		return w.crossed
	}
	return w.keyring.In(keyring.Accepted)
}
