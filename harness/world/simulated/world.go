// Package simulated is a world in memory: emitters, shared caches, validators
// and clients that behave by the figures of a plan, without containers, HTTP or
// keys. Time is virtual: a rehearsal in it takes milliseconds, and the same seed gives
// the same history. It records the events that a real run records, so that gates,
// budget and judge cannot tell the difference.
//
//	keyring ──► published ──poll──► emitters ──► caches ──fetch──► validators
//	  (steps)                          └──tokens──► clients ──attempts──┘
//
// Where validators share the secret they read what is published themselves, and
// emitters present to them what clients tell, with a queue of retries.
package simulated

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// closing is how long Finish waits for slow listeners.
const closing = time.Second

// World is a simulated world, for one goroutine and what its clock starts: events happen at their exact
// times while these wait.
type World struct {
	plan     *plan.Plan
	limits   plan.Limits
	options  Options
	clock    *clock
	recorder *history.Recorder
	commands chan world.Command
	confirms []world.Command // that are still to be given

	waiting map[history.Phase][]timed // what is timed from phases to come
	faults  map[history.Phase][]timed

	keyring   keyring.Keyring
	published document
	held      map[string]history.Offset // until when the harness's own token of a credential lives
	failed    map[keyring.Intent]bool   // step errors that were returned
	makeError error

	started    bool
	undone     bool // faults, for good
	inEffect   []*disturbance
	loadEnded  bool
	down       map[string]bool
	frozen     map[string]bool       // of those that are down
	broken     map[edge]string       // ways on which nothing comes through: with which status
	heldBack   map[string]bool       // consumers that get nothing new
	spoilt     map[string][]string   // consumers whose new secrets fit nowhere: which do
	gaveSpoilt map[string]bool       // consumers that were given one of those
	inserted   map[edge]*cache       // that nobody sees
	answers    map[string]*setAnswer // of issuers, in place of their key set
	dies       *signal               // when another rotator is started, where one is to die; nil: none is
	crossed    []string              // what is accepted since another rotation began; nil: none did
	oldNames   []string              // the credentials whose name is on what is made with another; nil: each has its own
	otherType  bool                  // the next credential is of another type of key
	odd        map[string]bool       // those that are
	order      []string              // names of emitters, validators and caches, as the plan has them
	emitters   map[string]*emitter
	caches     map[string]*cache
	validators map[string]*validator
	services   map[string]scenario.Service // as the scenario has them
	deliveries *deliveries                 // nil: emitters present nothing by themselves
	clients    []*client
	concerned  map[string][]*client // by the services that matter for them
	sharing    map[string][]*client // by who presents what they ask for, and is counted for all of them
	stirred    []*client            // that are to be planned anew
	repeats    repeats
	cells      cells
	totals     history.Totals
	orders     []*order // that wait to be tried again
	ledger     history.Ledger
}

// timed is what happens at a distance from the beginning of a phase.
type timed struct {
	after time.Duration
	do    func()
}

// New makes the world of a plan, with a clock of its own that begins at the present
// time of the machine's. Its services start when the first credential is emitted. It
// panics where options name a service that the plan does not have.
func New(p *plan.Plan, o Options) *World {
	if o.Seed == 0 {
		o.Seed = p.Seed
	}
	if o.RateFactor == 0 {
		o.RateFactor = 1
	}
	began := time.Now()
	w := &World{
		plan: p, limits: p.Limits, options: o, clock: newClock(began),
		recorder:   history.NewRecorder(began, o.Events),
		commands:   make(chan world.Command, len(o.Commands)),
		waiting:    map[history.Phase][]timed{},
		faults:     map[history.Phase][]timed{},
		held:       map[string]history.Offset{},
		failed:     map[keyring.Intent]bool{},
		makeError:  o.MakeError,
		confirms:   slices.Clone(o.Confirms),
		down:       map[string]bool{},
		frozen:     map[string]bool{},
		broken:     map[edge]string{},
		heldBack:   map[string]bool{},
		spoilt:     map[string][]string{},
		gaveSpoilt: map[string]bool{},
		answers:    map[string]*setAnswer{},
		inserted:   map[edge]*cache{},
		odd:        map[string]bool{},
		emitters:   map[string]*emitter{},
		caches:     map[string]*cache{},
		validators: map[string]*validator{},
		services:   map[string]scenario.Service{},
	}
	for _, l := range o.Listeners {
		w.recorder.Tell(l)
	}
	w.deliveries = newDeliveries(w, p)
	w.build()
	w.concern()
	w.repeats = repeats{of: map[repeated]*repeat{}, held: p.AnyMoment}
	w.clock.before, w.clock.after = w.replan, w.catchUpFailing
	o.check(w)
	limits, err := json.Marshal(p.Limits)
	if err != nil {
		panic(fmt.Sprintf("simulated world: encode limits: %v", err)) // figures and names only: cannot fail
	}
	w.recorder.Record(history.Event{Kind: history.KindPlan, Plan: limits})
	w.script()
	return w
}

// build makes the parties of the plan.
func (w *World) build() {
	services := map[string]plan.Service{}
	for _, s := range w.plan.Services {
		services[s.Name] = s
		w.services[s.Name] = s.Service
		w.order = append(w.order, s.Name)
	}
	for _, e := range w.limits.Emitters {
		w.emitters[e.Name] = newEmitter(w, e, services[e.Name])
	}
	for _, c := range w.limits.Caches {
		w.caches[c.Name] = newCache(w, c.Name, c.Of, history.Offset(w.limits.Wall(c.TTL)), c.Fleet)
	}
	for _, v := range w.limits.Validators {
		w.validators[v.Name] = newValidator(w, v)
	}
	for i, c := range w.limits.Clients {
		w.clients = append(w.clients, newClient(w, c, w.plan.Rehearsal.Load[i]))
	}
}

// script schedules what the scenario and the options time.
func (w *World) script() {
	w.disturb()
	for _, c := range w.clients {
		for _, change := range c.changes {
			at := Moment{Phase: history.Phase(change.At.Phase), After: w.plan.Wall(change.At.After.Duration())}
			w.when(w.waiting, at, func() { c.pace(float64(change.Rate)) })
		}
	}
	for _, c := range w.options.Commands {
		w.when(w.waiting, c.At, func() { w.commands <- c.Command }) // the channel holds all of them
	}
	if w.options.LoadDiesAt != nil {
		w.when(w.waiting, *w.options.LoadDiesAt, func() {
			w.settleAll()
			w.loadEnded = true
			w.record(history.Event{Kind: history.KindExit, Service: "load", Detail: "died"})
		})
	}
}

// when schedules something, now or for the begin of its phase.
func (w *World) when(waiting map[history.Phase][]timed, m Moment, do func()) {
	if m.Phase == "" {
		w.clock.at(history.Offset(m.After), do)
		return
	}
	waiting[m.Phase] = append(waiting[m.Phase], timed{m.After, do})
}

// begin schedules what is timed from a phase that begins now, and does what begins with it.
func (w *World) begin(waiting map[history.Phase][]timed, phase history.Phase) {
	for _, t := range waiting[phase] {
		if t.after <= 0 {
			t.do()
			continue
		}
		w.clock.at(w.now()+history.Offset(t.after), t.do)
	}
	delete(waiting, phase)
}

// World is w as a rotation sees it.
func (w *World) World() world.World {
	return world.World{
		Clock: w.clock, Steps: steps{w}, Probes: probes{w},
		History: recording{w}, Operator: operator{w}, Faults: faults{w},
	}
}

// Finish ends the run: load stops, and it records the last counts, the totals and a leak scan without
// hits. It returns the complete history.
func (w *World) Finish() (*history.History, error) {
	w.repeats.tell(w.recorder)
	w.settleAll()
	w.loadEnded = true
	w.drain()
	w.flush(true)
	totals := w.totals
	totals.Complete, totals.Simulated = true, true
	if w.options.Totals != nil {
		w.options.Totals(&totals)
	}
	if w.ledger.Orders > 0 {
		w.record(history.Event{Kind: history.KindLedger, Ledger: &w.ledger})
	}
	w.record(history.Event{Kind: history.KindTotals, Totals: &totals})
	w.record(history.Event{Kind: history.KindLeaks, Leaks: &history.Leaks{Searched: 1}})
	w.clock.close()
	h, err := w.recorder.Close(closing)
	if err != nil {
		return nil, fmt.Errorf("close the history: %w", err)
	}
	return h, nil
}

// now is the offset of what is happening.
func (w *World) now() history.Offset { return w.clock.offset() }

// record appends an event of the model itself.
func (w *World) record(e history.Event) {
	e.At = w.now()
	if e.Kind == history.KindFetched || e.Kind == history.KindRead {
		w.repeats.record(w.recorder, e)
		return
	}
	if together[e.Kind] {
		w.repeats.tell(w.recorder)
	}
	w.recorder.Record(e)
	if !e.Routine() {
		w.clock.changed()
	}
	if e.Kind == history.KindPhase && e.Phase == history.Accept {
		w.repeats.held = true // what is told before, the accept is timed by
	}
}

// catchUp counts and records everything until now.
func (w *World) catchUp() {
	w.repeats.tell(w.recorder)
	w.settleAll()
	w.flush(false)
}

// catchUpFailing does so for clients with failures: nobody asks about the others while time passes.
func (w *World) catchUpFailing() {
	for _, c := range w.clients {
		if c.fails {
			w.settle(c)
		}
	}
	w.flush(false)
}

// random is a random source for one party: adding a party changes nothing for the others.
func (w *World) random(name string) *rand.Rand {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(name)) // a hash's Write never fails
	return rand.New(rand.NewPCG(uint64(w.options.Seed), hash.Sum64()))
}

// every repeats f, the first time at a random part of the period from now, as a
// service that has been up for some time would.
func (w *World) every(name string, period history.Offset, f func()) {
	w.everyFrom(w.phase(name, period), period, f)
}

// phase is a random part of a period, the same for a name; 0 where there is no period.
func (w *World) phase(name string, period history.Offset) history.Offset {
	if !recurs(period) {
		return 0
	}
	return history.Offset(w.random(name).Int64N(int64(period)))
}

// everyFrom repeats f, the first time after a part of the period.
func (w *World) everyFrom(phase, period history.Offset, f func()) {
	if !recurs(period) {
		return
	}
	var again func()
	next := w.now() + phase%period
	again = func() {
		f()
		next += period
		w.clock.at(next, again)
	}
	w.clock.at(next, again)
}

// recurs reports whether what has a period happens more than once.
func recurs(period history.Offset) bool {
	return period > 0 && period != history.Offset(runbook.Forever)
}

// start starts the services, each after those that it needs, and the load.
func (w *World) start() {
	w.started = true
	for _, name := range w.order {
		w.record(history.Event{Kind: history.KindService, Service: name, Detail: "simulated"})
	}
	for _, name := range w.order {
		if e := w.emitters[name]; e != nil {
			e.start()
		}
	}
	for _, name := range w.order {
		if v := w.validators[name]; v != nil {
			v.start()
		}
	}
	for _, c := range w.clients {
		c.start()
	}
}
