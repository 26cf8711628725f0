package accuracy

import (
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// A person at the controls, who takes their time before some phases. On hold the
// page's clock stands still, and caches, clients and polls go on: nobody who does what
// the page says is hurt by that, and a page that is too short is so at any pace.

// longestHold is the longest that a person takes before a phase; wall time.
const longestHold = 2 * time.Minute

// takesTime has a person take their time before some of the phases, at least one.
func (d *draw) takesTime(r *rehearsal, phases ...history.Phase) {
	r.world.Holds = map[history.Phase]time.Duration{one(d, phases...): d.pause()}
	for _, phase := range phases {
		if d.chance(0.4) {
			r.world.Holds[phase] = d.pause()
		}
	}
}

// pause is how long a person takes, as often a moment as minutes.
func (d *draw) pause() time.Duration {
	return d.between(time.Second, one(d, 5*time.Second, 20*time.Second, longestHold))
}

// held is a page that holds, with a person at the controls.
func held(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	d.takesTime(r, history.Phases()...)
	return r, Truth{Verdict: Pass}
}

func keyHeld(d *draw) (*rehearsal, Truth) {
	r := d.holdingKey()
	d.takesTime(r, history.Phases()...)
	return r, Truth{Verdict: Pass}
}

func hookHeld(d *draw) (*rehearsal, Truth) {
	r := d.holdingHook("github", "stripe", "standard-webhooks")
	d.takesTime(r, history.Phases()...)
	return r, Truth{Verdict: Pass}
}

// shortLeadHeld is a lead that is too short for the slowest cache, and a person who
// holds the rotation in it: too briefly to matter, or until every cache has the new
// key. Nobody is refused then, and without the hold somebody had been.
func shortLeadHeld(d *draw) (*rehearsal, Truth) {
	r, truth := shortLead(d)
	slow := r.validators[0]
	long := (r.g1(slow)-r.lead)/time.Duration(r.speed) + certain
	phase := one(d, history.Verify, history.Emit)
	r.world.Holds = map[history.Phase]time.Duration{phase: d.between(time.Second, 2*time.Second)}
	if d.chance(0.7) {
		if phase == history.Verify { // the lead goes on meanwhile
			long += r.lead / time.Duration(r.speed)
		}
		r.world.Holds[phase] = d.between(long+time.Second, long+longestHold)
	} else {
		r.lead = max(r.lead-r.inPage(2*time.Second), r.inPage(500*time.Millisecond)+time.Second)
	}
	return r, truth
}

// shortWindowHeld is a window that is over while most sessions use the old key, and a
// person who holds the revoke until none does.
func shortWindowHeld(d *draw) (*rehearsal, Truth) {
	r := d.windowOf(letGo...)
	phase := one(d, history.Overlap, history.Revoke)
	long := (r.g2()+r.refresh+r.window)/time.Duration(r.speed) + 2*certain
	r.world.Holds = map[history.Phase]time.Duration{phase: d.between(long, long+longestHold)}
	return r, Truth{Verdict: Fail, Named: [][]string{r.clientNames()}}
}

// keyRevokedLate has a provider that goes on taking a revoked key for longer than the
// page says, on hold or not.
func keyRevokedLate(d *draw) (*rehearsal, Truth) {
	r := d.holdingKey()
	r.gates = one(d, letGo...)
	r.lag = r.propagation + r.refresh + d.between(r.inPage(2*certain), r.inPage(3*certain))
	r.watch = r.lag + r.inPage(certain) + d.between(time.Minute, 3*time.Minute)
	if d.chance(0.8) {
		d.takesTime(r, slices.Concat(history.Phases(), []history.Phase{history.Watch, history.Watch})...)
	}
	return r, Truth{Verdict: Fail, Named: [][]string{{"payments"}}}
}
