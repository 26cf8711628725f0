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
	// Of one that reads: how what is published gets to it, and how long that takes.
	distribution string
	rollout      rollout
	onPage       bool
	lags         bool // goes on taking what is revoked
	lagged       bool // went on so with something

	// What somebody else removed from an authority, and put back there.
	thrownOut []string
	putBack   string

	holds    []string // as seen from outside: the last set that was fetched
	replicas []*replica
	fleet    bool           // equal replicas: it has learned or forgotten something when all have
	held     map[string]int // how many replicas hold a credential
	mixed    bool           // they hold different ones now
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
	file      []string // what is in its file, where it has one
	missed    bool     // an unknown credential has made it fetch, last at missAt
	missAt    history.Offset
}

func newValidator(w *World, v plan.Validator) *validator {
	made := &validator{
		world: w, name: v.Name, source: v.Via, behaviour: behaviour(v),
		pinned: w.options.Pinned[v.Name], authority: v.Authority, onPage: v.OnPage, random: w.random(v.Name + " replicas"),
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
	if v.Fleet > 1 || made.rollout.batches > 1 {
		made.fleet = true
		for range min(max(v.Fleet, made.rollout.batches), mostReplicas) {
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
		r.file = v.world.published.set
		v.fetch(r)
		fetch := func() { v.fetch(r) }
		switch refresh := v.wall(r.behaviour.Refresh); {
		case v.pinned, v.distribution == runbook.Env:
		case v.fleet: // as evenly spaced as very many are
			v.world.everyFrom(v.world.phase(v.name, refresh)+refresh*history.Offset(i)/history.Offset(len(v.replicas)), refresh, fetch)
		case i > 0:
			v.world.every(fmt.Sprintf("%s %d", v.name, i), refresh, fetch)
		default:
			v.world.every(v.name, refresh, fetch)
		}
	}
}

// deliver delivers what was published to one that reads it and does not look at the store: into its
// files after the delay, or by a restart where somebody knows of it.
func (v *validator) deliver() {
	w, set := v.world, v.world.published.set
	switch {
	case v.pinned || !v.reads:
	case v.distribution == runbook.File:
		w.roll(v.rollout, func(batch int) {
			for _, r := range v.batch(batch) {
				r.file = set
			}
		})
	case v.distribution == runbook.Env && v.onPage:
		w.roll(v.rollout, func(batch int) {
			for _, r := range v.batch(batch) {
				v.fetch(r)
			}
		})
	}
}

// batch are the replicas that are rolled out at a time.
func (v *validator) batch(i int) []*replica {
	n := len(v.replicas)
	return v.replicas[i*n/v.rollout.batches : (i+1)*n/v.rollout.batches]
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
	set, failed := w.read(v, r)
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
	v.mixed = false
	for _, n := range v.held {
		v.mixed = v.mixed || n > 0 && n < len(v.replicas)
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

// read is the set that a replica's source has now, or why it cannot be had.
func (w *World) read(v *validator, r *replica) (set []string, failed string) {
	switch {
	case !v.reads:
		return w.fetch(v.name, v.source)
	case v.distribution == runbook.File:
		return r.file, ""
	case v.distribution == runbook.Env:
		return w.published.set, ""
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
