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
	loaded  document

	distribution string         // how it gets what is published
	delay        history.Offset // wall time, of its file
	onPage       bool
	file, first  document // in its file now, and at its start
	writtenBack  bool     // somebody keeps writing first back
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
	return &emitter{
		world: w, name: e.Name, refresh: history.Offset(w.limits.Wall(refresh)), several: e.Several,
		pinned: s.Pinned || w.options.Pinned[e.Name], onPage: s.OnPage,
		distribution: runbook.Way(s.Distribution), delay: history.Offset(w.limits.Wall(s.Delay.Duration())),
	}
}

func (e *emitter) start() {
	e.file, e.first = e.world.published, e.world.published
	e.load()
	if e.rereads() {
		e.world.every(e.name, e.refresh, e.load)
	}
}

// rereads reports whether it ever reads again what is published.
func (e *emitter) rereads() bool { return !e.pinned && e.distribution != runbook.Env }

// deliver delivers what was published to an emitter that does not read the store: into its file after
// the delay, or by a restart where somebody knows of it.
func (e *emitter) deliver() {
	w, published := e.world, e.world.published
	switch e.distribution {
	case runbook.File:
		if e.writtenBack {
			published = e.first
		}
		w.clock.at(w.now()+e.delay, func() { e.file = published })
	case runbook.Env:
		if !e.pinned && e.onPage && (published.emit != e.loaded.emit || w.limits.JudgedAt == history.FromLoad) {
			e.load()
		}
	}
}

// load reads what was published and starts to use it.
func (e *emitter) load() {
	w := e.world
	if w.down[e.name] || w.heldBack[e.name] {
		return
	}
	there := w.published
	switch e.distribution {
	case runbook.File:
		there = e.file
	case runbook.Env:
	default:
		if !w.reaches(e.name, storeName) {
			return
		}
		w.record(history.Event{Kind: history.KindRead, Service: storeName, Reader: e.name, What: w.plan.Runbook.Storage.Publish.Path})
	}
	if e.loaded.version == there.version {
		return
	}
	w.touch(e.name)
	before := e.loaded
	e.loaded = there
	w.record(history.Event{Kind: history.KindLoaded, Service: e.name, Credentials: e.loaded.set, Credential: e.loaded.emit})
	if w.limits.JudgedAt == history.FromLoad && !slices.Equal(before.set, e.loaded.set) {
		w.record(history.Event{Kind: history.KindPublished, Service: e.name, Credentials: e.loaded.set})
	}
	if before.emit != e.loaded.emit {
		w.record(history.Event{Kind: history.KindEmitting, Service: e.name, Credential: e.loaded.emit})
	}
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
	set = e.loaded.set
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
