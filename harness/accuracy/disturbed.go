package accuracy

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// What disturbs a measurement, or a rehearsal of a page that holds.

// thinTraffic has a client that sends little of what it should: nobody can tell.
func thinTraffic(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	d.load(r, 1, 20, 10, 60)
	r.world.RateFactor = one(d, 0.001, 0.01, 0.1, 0.3)
	return r, Truth{Verdict: Inconclusive}
}

// slowClient has the only client of a validator send so little that neither
// credential was shown to it twenty times: nobody can tell.
func slowClient(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	for i := range r.clients {
		if r.clients[i].to == r.validators[0].name {
			r.clients[i].rate, r.clients[i].sessions = 0, 1
		}
	}
	return r, Truth{Verdict: Inconclusive}
}

// noisy is a baseline that fails already, beyond the objective: nobody can tell.
func noisy(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	d.load(r, 1, 30, 30, 60)
	r.world.Failing = 0.15 + 0.25*d.random.Float64()
	return r, Truth{Verdict: Inconclusive}
}

// noisyAndWrong is a short lead over a noisy baseline: noise excuses no outage.
func noisyAndWrong(d *draw) (*rehearsal, Truth) {
	r, truth := shortLead(d)
	r.validators, truth.May = r.validators[:1], nil
	d.load(r, 20, 30, 30, 60)
	r.world.Failing = 0.03 + 0.05*d.random.Float64()
	return r, truth
}

// loadDies has the load end long before the run does: nobody can tell.
func loadDies(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	d.load(r, 5, 30, 10, 60)
	r.watch = max(r.watch, r.inPage(20*time.Second))
	phase := one(d, history.Verify, history.Overlap, history.Watch)
	r.world.LoadDiesAt = &simulated.Moment{Phase: phase, After: d.between(0, 2*time.Second)}
	return r, Truth{Verdict: Inconclusive}
}

// consumerDown has a validator down for a good while.
func consumerDown(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	d.load(r, 5, 30, 20, 60)
	name := r.validators[d.random.IntN(len(r.validators))].name
	phase := one(d, history.Verify, history.Overlap, history.Watch)
	r.world.Down = map[string]simulated.Span{name: {
		From: simulated.Moment{Phase: phase, After: d.between(0, 2*time.Second)}, For: d.between(4*time.Second, 10*time.Second),
	}}
	return r, Truth{Verdict: Fail, Named: [][]string{{name}}}
}

// signerDown has the signer die in the overlap: sessions run out, and what it
// published stays where it is.
func signerDown(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	d.load(r, 5, 30, 20, 60)
	// What nobody renews is used until it expires.
	r.window, r.watch = r.window+r.inPage(certain), max(r.watch, 2*r.life)
	r.world.Down = map[string]simulated.Span{"auth": {From: simulated.Moment{Phase: history.Overlap, After: d.between(0, time.Second)}}}
	return r, Truth{Verdict: Fail, Named: [][]string{{"auth"}}}
}

// counterOff has counters that do not agree: nobody can tell.
func counterOff(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	by := int64(d.number(1, 50))
	r.world.Totals = one(d,
		func(t *history.Totals) { t.Served -= by },
		func(t *history.Totals) { t.Served += by },
		func(t *history.Totals) { t.Sent += by },
		func(t *history.Totals) { t.Recorded -= by },
		func(t *history.Totals) { t.Scheduled += by },
	)
	return r, Truth{Verdict: Inconclusive}
}

// askedBack is taken back as the operator asks, and nobody is hurt: a pass.
func askedBack(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	r.world.Commands = []simulated.Command{{
		At:      simulated.Moment{Phase: one(d, history.Verify, history.Emit, history.Overlap, history.Watch), After: d.between(0, 4*time.Second)},
		Command: world.RollBack,
	}}
	if r.world.Commands[0].At.Phase == history.Emit {
		r.world.Commands[0].At.After = 0
	}
	return r, Truth{Verdict: Pass}
}

// The families without token, signer or cache.

// holdingKey draws an API key whose page holds all bounds.
func (d *draw) holdingKey() *rehearsal {
	r := &rehearsal{apiKey: true, speed: one(d, 20, 30, 60), objective: "99.9%", baseline: d.between(5*time.Minute, 8*time.Minute)}
	r.gates = one(d, "enforce", "observe", "off")
	r.refresh = d.between(r.inPage(500*time.Millisecond)+time.Second, 2*time.Minute)
	r.propagation = d.between(0, time.Minute)
	r.lead = r.refresh + r.propagation + d.between(30*time.Second, 2*time.Minute)
	r.window = r.propagation + d.between(2*time.Minute, 6*time.Minute)
	r.watch = r.refresh + r.propagation + d.between(8*time.Minute, 12*time.Minute)
	r.canary = d.chance(0.5)
	for i := range d.number(1, 2) {
		r.clients = append(r.clients, client{name: []string{"shop", "kiosk"}[i], to: "billing", rate: d.number(10, 60), sessions: d.number(1, 20)})
	}
	return r
}

func keyHolds(d *draw) (*rehearsal, Truth) { return d.holdingKey(), Truth{Verdict: Pass} }

// keyMissed has a party that nobody wrote on the page present the key that it
// was started with.
func keyMissed(d *draw) (*rehearsal, Truth) {
	r := d.holdingKey()
	r.offPageSigner = true
	r.clients = append(r.clients, client{name: "cron", to: "backup", rate: d.number(20, 40), sessions: 1})
	return r, Truth{Verdict: Fail, Named: [][]string{{"backup"}}}
}

// keyStuck has the party on the page go on with the old key.
func keyStuck(d *draw) (*rehearsal, Truth) {
	r := d.holdingKey()
	r.pinned = true
	return r, Truth{Verdict: Fail, Named: [][]string{{"billing"}}}
}

// keyAuthorityDown has the provider down for a while: those who present the key
// there can do nothing about it.
func keyAuthorityDown(d *draw) (*rehearsal, Truth) {
	r := d.holdingKey()
	r.world.Down = map[string]simulated.Span{"payments": {
		From: simulated.Moment{Phase: one(d, history.Overlap, history.Watch), After: d.between(0, time.Second)}, For: d.between(2*time.Second, 5*time.Second),
	}}
	return r, Truth{Verdict: Fail, Named: [][]string{{"payments"}}}
}

func keyThin(d *draw) (*rehearsal, Truth) {
	r := d.holdingKey()
	r.world.RateFactor = one(d, 0.001, 0.01, 0.1, 0.3)
	return r, Truth{Verdict: Inconclusive}
}

func keyAskedBack(d *draw) (*rehearsal, Truth) {
	r := d.holdingKey()
	r.world.Commands = []simulated.Command{{
		At:      simulated.Moment{Phase: one(d, history.Verify, history.Overlap, history.Watch), After: d.between(0, time.Second)},
		Command: world.RollBack,
	}}
	return r, Truth{Verdict: Pass}
}

// simulatedSituations are drawn for simulated worlds.
func simulatedSituations() []situation {
	return []situation{
		{"all bounds hold", allHold},
		{"lead short", shortLead},
		{"lead short, gated", shortLeadGated},
		{"lead short, turned back", shortLeadTurnedBack},
		{"window short", shortWindow},
		{"window short, gated", shortWindowGated},
		{"watch short", shortWatch},
		{"never forgets", neverForgets},
		{"consumer off the page", missedConsumer},
		{"signer off the page", missedSigner},
		{"one slot", oneSlot},
		{"signer that does not switch", stuckSigner},
		{"page that promises too much", claimedTooSoon},
		{"two things wrong", twoWrong},
		{"traffic cut", thinTraffic},
		{"a client that hardly sends", slowClient},
		{"baseline fails", noisy},
		{"baseline fails, lead short", noisyAndWrong},
		{"load dies", loadDies},
		{"consumer down", consumerDown},
		{"signer down", signerDown},
		{"counters disagree", counterOff},
		{"taken back as asked", askedBack},
		{"key: all bounds hold", keyHolds},
		{"key: consumer off the page", keyMissed},
		{"key: consumer that does not switch", keyStuck},
		{"key: provider down", keyAuthorityDown},
		{"key: traffic cut", keyThin},
		{"key: taken back as asked", keyAskedBack},
		{"taken back from a phase", plannedBack},
		{"key: taken back from a phase", keyPlannedBack},
		{"store lost", storeLost},
		{"hook: all bounds hold", hookHolds},
		{"hook: receiver off the page", hookMissed},
		{"hook: receiver that never reloads", hookNeverReloads},
		{"hook: sender that does not switch", hookStuck},
		{"hook: window short, a full queue", hookQueued},
		{"hook: traffic cut", hookThin},
		{"hook: taken back from a phase", hookBack},
		{"hook: compromised, a full queue", hookCompromised},
		{"tokens outlive the page", livesBeyond},
		{"on hold", held},
		{"lead short, on hold", shortLeadHeld},
		{"window short, on hold", shortWindowHeld},
		{"key: on hold", keyHeld},
		{"key: revoked late, on hold", keyRevokedLate},
		{"hook: on hold", hookHeld},
		{"a validator that errs", erring},
		{"replicas: all bounds hold", replicasInTime},
		{"replicas: one keeps the old key", replicaKeeps},
		{"replicas: one never fetches", replicaStuck},
		{"slow parties", slowParties},
		{"a party that freezes", frozenParty},
	}
}
