package simulated

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// edge is the way from one service to another.
type edge struct{ from, to string }

// disturbance is a fault of the scenario or of the options.
type disturbance struct {
	kind, target string
	at           edge          // of a target that is an edge
	lasts        time.Duration // wall time; 0: until faults are undone
	stays        bool          // nothing takes it back
	inject       func() (undo func())
	// acted says whether it had anything to act upon; nil: always.
	acted func() bool

	undo func() // nil: it is not in effect
}

// kind is a kind of fault in this world: inject does it and returns how to undo it; nil: nothing undoes
// it.
type kind func(w *World, f scenario.Fault) (undo func())

// kinds are the faults that this world has. Their names are those of harness/fault.
var kinds = map[string]kind{
	"kill":    func(w *World, f scenario.Fault) func() { return w.takeDown(f.On, false) },
	"restart": func(w *World, f scenario.Fault) func() { return w.takeDown(f.On, false) },
	"pause":   func(w *World, f scenario.Fault) func() { return w.takeDown(f.On, true) },
	"seal":    func(w *World, f scenario.Fault) func() { return w.takeDown(f.On, false) },

	"partition": func(w *World, f scenario.Fault) func() { return w.breakWay(f, noAnswer) },
	"cut":       func(w *World, f scenario.Fault) func() { return w.breakWay(f, "reset") },
	"latency": func(w *World, f scenario.Fault) func() {
		if late := f.Latency.Duration(); late > 0 && late >= contract.ClientTimeout {
			return w.breakWay(f, noAnswer)
		}
		return func() {} // a late answer is no refusal
	},
	"hold-back": func(w *World, f scenario.Fault) func() {
		w.heldBack[f.On] = true
		return func() { delete(w.heldBack, f.On) }
	},
	"foreign-secret": (*World).spoil,
	"newline":        (*World).spoil,
	"truncated":      (*World).spoil,
	"double-base64":  (*World).spoil,
	"quoting":        (*World).spoil,
	"revocation-lag": func(w *World, f scenario.Fault) func() {
		v := w.validators[f.On]
		v.lags = true
		return func() { v.lags = false; v.decided() }
	},
	"cache": (*World).insertCache, "jwks": (*World).answerElse,
	"garbage-kids": (*World).showGarbage, "kill-rotator": (*World).killRotator,
	"second-rotation": func(w *World, _ scenario.Fault) func() { w.rotateToo(); return nil },
	"put-back":        (*World).putBack,
	"write-back": func(w *World, f scenario.Fault) func() {
		e := w.emitters[f.On]
		e.writtenBack = true
		e.deliver()
		return func() { e.writtenBack = false; e.deliver() }
	},
	"stuck-rollout": (*World).disturbRollouts, "early-rollout": (*World).disturbRollouts,
	"old-kid": func(w *World, f scenario.Fault) func() {
		w.oldNames = []string{slices.Min(w.published.set)} // k1, as long as there is one
		return func() { w.oldNames = nil }
	},
	"wrong-algorithm": func(w *World, f scenario.Fault) func() {
		w.otherType = true
		return func() { w.otherType = false }
	},
}

// acts are the kinds that wait for something to act upon, each with whether that came. All others show
// by themselves.
var acts = map[string]func(w *World, f scenario.Fault) bool{
	"revocation-lag": func(w *World, f scenario.Fault) bool { return w.validators[f.On].lagged },
	"foreign-secret": (*World).spoiled,
	"newline":        (*World).spoiled,
	"truncated":      (*World).spoiled,
	"double-base64":  (*World).spoiled,
	"quoting":        (*World).spoiled,
}

// without are the kinds that mean nothing in this world, and why.
var without = map[string]string{
	"clock":       "every party has the same clock here",
	"missing-kid": "what a library does without a kid is not among its figures",
	"same-kid":    "what a library makes of two keys under one kid is not among its figures",
	"slow":        "messages have no size here, and what is slow to come is not late",
}

// disturb puts the faults of the scenario and of the options on the agenda.
func (w *World) disturb() {
	for _, f := range w.plan.Rehearsal.Faults {
		d := &disturbance{
			kind: f.Kind, target: f.On, at: edge{f.From, f.To}, lasts: w.plan.Wall(f.For.Duration()), stays: f.Kind == "second-rotation",
			inject: func() func() { return kinds[f.Kind](w, f) },
		}
		if acted := acts[f.Kind]; acted != nil {
			d.acted = func() bool { return acted(w, f) }
		}
		if d.target == "" {
			d.target = f.From + " → " + f.To
		}
		if f.Kind == "restart" && d.lasts == 0 {
			d.lasts = restarts
		}
		w.when(w.faults, Moment{Phase: history.Phase(f.At.Phase), After: w.plan.Wall(f.At.After.Duration())}, func() { w.begun(d) })
	}
	for _, name := range slices.Sorted(maps.Keys(w.options.Down)) {
		span := w.options.Down[name]
		d := &disturbance{kind: "down", target: name, lasts: span.For, inject: func() func() { return w.takeDown(name, span.Frozen) }}
		w.when(w.faults, span.From, func() { w.begun(d) })
	}
}

// restarts is how long a service is away that is ended and started again at once; wall time.
const restarts = 100 * time.Millisecond

// begun injects a disturbance.
func (w *World) begun(d *disturbance) {
	if w.undone {
		return
	}
	w.tell(d, history.Fault{Stage: history.FaultInjected})
	w.touch("")
	d.undo = d.inject()
	if d.acted == nil {
		w.tell(d, history.Fault{Stage: history.FaultEvidence, Took: true})
	}
	if d.stays {
		w.tell(d, history.Fault{Stage: history.FaultUndone, Detail: "nothing to undo: it stays as it is"})
		return
	}
	w.inEffect = append(w.inEffect, d)
	if d.lasts > 0 {
		w.clock.at(w.now()+history.Offset(d.lasts), func() { w.ended(d) })
	}
}

// ended undoes a disturbance that is in effect.
func (w *World) ended(d *disturbance) {
	if d.undo == nil {
		return
	}
	w.touch("")
	d.undo()
	d.undo = nil
	if d.acted != nil {
		w.tell(d, history.Fault{Stage: history.FaultEvidence, Took: d.acted()})
	}
	w.tell(d, history.Fault{Stage: history.FaultUndone})
}

func (w *World) tell(d *disturbance, f history.Fault) {
	f.Kind, f.Target, f.From, f.To = d.kind, d.target, d.at.from, d.at.to
	w.record(history.Event{Kind: history.KindFault, Service: d.target, Fault: &f})
}

// faults are the disturbances, as a rotation sees them.
type faults struct{ *World }

var _ world.Faults = faults{}

// Begin times the faults of a phase.
func (w faults) Begin(_ context.Context, phase history.Phase) { w.begin(w.faults, phase) }

// Undo undoes what is in effect, and cancels what has not begun. It waits until a party that was given
// an old value has the new one again, as a real run does.
func (w faults) Undo(ctx context.Context) error {
	w.undone = true
	var comes time.Duration
	for _, d := range w.inEffect {
		if e := w.emitters[d.target]; d.kind == "write-back" && d.undo != nil && e != nil {
			comes = max(comes, (e.rollout.delay + e.rollout.takes + e.refresh).Duration())
		}
		w.ended(d)
	}
	return w.clock.Sleep(ctx, comes)
}
