package accuracy

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// The way back: asked for it passes where nobody is hurt, unasked never.

// phasesBack are those from which a rotation can be taken back.
var phasesBack = []history.Phase{history.Accept, history.Verify, history.Emit, history.Overlap, history.Revoke, history.Watch}

// plannedBack is a page that holds, taken back from a phase as the scenario asks.
func plannedBack(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	r.back = one(d, phasesBack...)
	return r, Truth{Verdict: Pass}
}

func keyPlannedBack(d *draw) (*rehearsal, Truth) {
	r := d.holdingKey()
	r.back = one(d, phasesBack...)
	return r, Truth{Verdict: Pass}
}

// realBack takes a key that a cache holds back before that has forgotten it: what
// a cache does after the revoke takes a run longer than others.
func realBack(d *draw) (*rehearsal, Truth) {
	r := d.realFrame(goOIDC())
	r.back = one(d, phasesBack...)
	if r.back == history.Watch {
		r.gates = "observe" // it never forgets, which the gate of watch would not let pass
	}
	return r, Truth{Verdict: Pass}
}

func realKeyBack(d *draw) (*rehearsal, Truth) {
	r := d.realKey()
	r.back = one(d, phasesBack...)
	return r, Truth{Verdict: Pass}
}

// storeLost is a page that holds, and a store that is silent for longer than a
// change may take to arrive: the run turns back by itself, and names nobody on
// the page.
func storeLost(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	r.gates = "enforce"
	silence := max(r.propagation/time.Duration(r.speed), 2*time.Second) + d.between(2*time.Second, 8*time.Second)
	r.world.Down = map[string]simulated.Span{"store": {
		From: simulated.Moment{Phase: one(d, history.Verify, history.Overlap, history.Watch), After: d.between(0, time.Second)}, For: silence,
	}}
	r.lead, r.window, r.watch = r.lead+2*r.inPage(silence), r.window+2*r.inPage(silence), r.watch+2*r.inPage(silence)
	return r, Truth{Verdict: Fail, May: []string{"store"}}
}
