package accuracy

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// Validators that are many replicas behind one address, and such as are slow or
// give no answer for a while: who is right about them asks often, and asks the
// others meanwhile.

// several draws a page that holds, with a validator of three or four replicas that
// fetch as often as the page says, or more often, each in its own time.
func (d *draw) several() (*rehearsal, []simulated.Behaviour) {
	r := d.holding()
	v := validator{name: "fleet", onPage: true}
	d.expires(r, &v, 4*time.Minute, 15*time.Minute)
	delete(r.world.Validators, v.name)
	r.validators = append(r.validators, v)
	d.load(r, 20, 30, 20, 60)
	d.hold(r)
	var fleet []simulated.Behaviour
	for range d.number(3, 4) {
		fleet = append(fleet, simulated.Behaviour{Refresh: d.between(v.learns/2, v.learns)})
	}
	fleet[0].Refresh = v.learns
	r.world.Replicas = map[string][]simulated.Behaviour{v.name: fleet}
	return r, fleet
}

// replicasInTime has replicas that learn and forget at different times, all of them
// in time.
func replicasInTime(d *draw) (*rehearsal, Truth) {
	r, _ := d.several()
	return r, Truth{Verdict: Pass}
}

// replicaKeeps has one of them take the revoked key for good.
func replicaKeeps(d *draw) (*rehearsal, Truth) {
	r, fleet := d.several()
	fleet[d.number(0, len(fleet)-1)].KeepsAll = true
	return r, Truth{Verdict: Fail, Named: [][]string{{"fleet"}}}
}

// replicaStuck has one of them never fetch again.
func replicaStuck(d *draw) (*rehearsal, Truth) {
	r, fleet := d.several()
	fleet[d.number(0, len(fleet)-1)].Refresh = 0
	return r, Truth{Verdict: Fail, Named: [][]string{{"fleet"}}}
}

// slowParties has validators that take long for an answer, and no longer than
// their clients wait.
func slowParties(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	r.world.Slow = map[string]time.Duration{}
	for i, v := range r.validators {
		if i == 0 || d.chance(0.5) {
			r.world.Slow[v.name] = time.Duration(d.number(200, 4500)) * time.Millisecond
		}
	}
	// A slow answer is one to what was asked before: some must lie after the bound.
	r.watch += r.inPage(5 * time.Second)
	return r, Truth{Verdict: Pass}
}

// frozenParty has a validator stop for a while and give no answer, beside others
// that do: it is to blame, and nobody who was only asked meanwhile.
func frozenParty(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	r.validators = append(r.validators, bystander())
	d.load(r, 5, 30, 20, 60)
	d.hold(r)
	name := r.validators[d.random.IntN(len(r.validators))].name
	r.world.Down = map[string]simulated.Span{name: {
		From: simulated.Moment{Phase: one(d, history.Verify, history.Revoke, history.Watch), After: d.between(0, 2*time.Second)},
		For:  d.between(4*time.Second, 10*time.Second), Frozen: true,
	}}
	return r, Truth{Verdict: Fail, Named: [][]string{{name}}}
}
