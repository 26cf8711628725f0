package simulated

import (
	"math/rand/v2"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// document is the published secret: the accepted credentials, the emitted one
// first, as a key set has them.
type document struct {
	version int
	set     []string
	emit    string
}

// emitter reads the published secret, signs or presents with it, and publishes
// the key set where validators fetch one.
type emitter struct {
	world   *World
	name    string
	refresh history.Offset // wall time
	pinned  bool
	several bool // it presents every accepted credential at once

	members []*member
	loaded  document   // what all members have, or had last
	mixed   bool       // they have different ones now
	emits   []string   // the credentials that any of them emits
	random  *rand.Rand // which of them is met

	distribution string // how it gets what is published
	rollout      rollout
	onPage       bool
	first        document // in its file at its start
	writtenBack  bool     // somebody keeps writing first back
}

// member is one of those that are rolled out one batch after the other; of most emitters there is one.
type member struct {
	file, loaded document
}

func newEmitter(w *World, e plan.Emitter, s plan.Service) *emitter {
	// The scenario decides what happens; the limits have the page's claim.
	refresh := s.Refresh.Duration()
	if refresh == 0 {
		refresh = e.Refresh
	}
	if other, ok := w.options.Refresh[e.Name]; ok {
		refresh = other
	}
	made := &emitter{
		world: w, name: e.Name, refresh: history.Offset(w.limits.Wall(refresh)), several: e.Several,
		pinned: s.Pinned || w.options.Pinned[e.Name], onPage: s.OnPage, random: w.random(e.Name + " members"),
		distribution: runbook.Way(s.Distribution), rollout: w.rolloutOf(s.Service),
	}
	for range made.rollout.batches {
		made.members = append(made.members, &member{})
	}
	return made
}

func (e *emitter) start() {
	e.first = e.world.published
	phase := e.world.phase(e.name, e.refresh)
	for i, m := range e.members {
		m.file = e.first
		e.load(m)
		if e.rereads() {
			e.world.everyFrom(phase+e.refresh*history.Offset(i)/history.Offset(len(e.members)), e.refresh, func() { e.load(m) })
		}
	}
}

// rereads reports whether it ever reads again what is published.
func (e *emitter) rereads() bool { return !e.pinned && e.distribution != runbook.Env }

// deliver delivers what was published to an emitter that does not read the store: into its files after
// the delay, or by a restart where somebody knows of it.
func (e *emitter) deliver() {
	w, published := e.world, e.world.published
	switch e.distribution {
	case runbook.File:
		if e.writtenBack {
			published = e.first
		}
		w.roll(e.rollout, func(batch int) { e.members[batch].file = published })
	case runbook.Env:
		if !e.pinned && e.onPage && (e.mixed || published.emit != e.loaded.emit || w.limits.JudgedAt == history.FromLoad) {
			w.roll(e.rollout, func(batch int) { e.load(e.members[batch]) })
		}
	}
}

// loadAll has every member load.
func (e *emitter) loadAll() {
	for _, m := range e.members {
		e.load(m)
	}
}

// load has a member read what was published and start to use it.
func (e *emitter) load(m *member) {
	w := e.world
	if w.down[e.name] || w.heldBack[e.name] {
		return
	}
	there := w.published
	switch e.distribution {
	case runbook.File:
		there = m.file
	case runbook.Env:
	default:
		if !w.reaches(e.name, storeName) {
			return
		}
		w.record(history.Event{Kind: history.KindRead, Service: storeName, Reader: e.name, What: w.plan.Runbook.Storage.Publish.Path})
	}
	if m.loaded.version == there.version {
		return
	}
	w.touch(e.name)
	m.loaded = there
	e.agree()
}

// agree finds out whether all members have the same, and tells of it: an emitter has switched when the
// last of them has.
func (e *emitter) agree() {
	w, one := e.world, e.members[0].loaded
	e.mixed, e.emits = false, nil
	for _, m := range e.members {
		e.mixed = e.mixed || m.loaded.version != one.version
		if emit := m.loaded.emit; emit != "" && !slices.Contains(e.emits, emit) {
			e.emits = append(e.emits, emit)
		}
	}
	if e.mixed || e.loaded.version == one.version {
		return
	}
	before := e.loaded
	e.loaded = one
	w.record(history.Event{Kind: history.KindLoaded, Service: e.name, Credentials: e.loaded.set, Credential: e.loaded.emit})
	if w.limits.JudgedAt == history.FromLoad && !slices.Equal(before.set, e.loaded.set) {
		w.record(history.Event{Kind: history.KindPublished, Service: e.name, Credentials: e.loaded.set})
	}
	if before.emit != e.loaded.emit {
		w.record(history.Event{Kind: history.KindEmitting, Service: e.name, Credential: e.loaded.emit})
	}
}

// any is the member that is met: chance picks it where they differ.
func (e *emitter) any() *member {
	if !e.mixed {
		return e.members[0]
	}
	return e.members[e.random.IntN(len(e.members))]
}

// cache is a shared cache in front of a key set, or many alike behind one address.
type cache struct {
	world    *World
	name, of string
	ttl      history.Offset // wall time
	copies   []kept
	random   *rand.Rand // which of them is asked; nil: there is one
}

// kept is a cached key set.
type kept struct {
	filled bool
	at     history.Offset
	set    []string
}

// newCache makes a cache, or the many of a fleet.
func newCache(w *World, name, of string, ttl history.Offset, fleet int) *cache {
	c := &cache{world: w, name: name, of: of, ttl: ttl, copies: make([]kept, max(1, min(fleet, mostReplicas)))}
	if len(c.copies) > 1 {
		c.random = w.random(name + " copies")
	}
	return c
}

// fetch is a source's (an emitter's or cache's) answer to a reader, or why it gives none.
func (w *World) fetch(reader, source string) (set []string, failed string) {
	if !w.reaches(reader, source) {
		return nil, "connection refused"
	}
	if c := w.inserted[edge{reader, source}]; c != nil {
		w.record(history.Event{Kind: history.KindRead, Service: c.name, Reader: reader, What: runbook.JWKS})
		return c.answer()
	}
	read := history.Event{Kind: history.KindRead, Service: source, Reader: reader, What: runbook.JWKS}
	e := w.emitters[source]
	if e == nil {
		w.record(read)
		return w.caches[source].answer()
	}
	set = e.any().loaded.set
	if a := w.answers[source]; a != nil && !a.lets(w.now()) {
		set = nil
		if a.answer != "empty" {
			read.Detail = a.answer
			failed = "status " + a.answer
		}
	}
	w.record(read)
	return set, failed
}

func (c *cache) answer() (set []string, failed string) {
	w, k := c.world, &c.copies[0]
	if c.random != nil {
		k = &c.copies[c.random.IntN(len(c.copies))]
	}
	if k.filled && w.now()-k.at < c.ttl {
		return k.set, ""
	}
	if set, failed = w.fetch(c.name, c.of); failed == "" {
		*k = kept{true, w.now(), set}
	}
	return set, failed
}
