package accuracy

import (
	"fmt"
	"time"
)

// What is drawn for real services: their libraries at their defaults, and what
// a scenario can say. Bounds are kept farther away than in a simulated world:
// jwx rounds its refresh up to whole seconds and adds one, and machines are busy.
const (
	jwxPeriod = 15 * time.Minute
	jwxRounds = 2 * time.Second // wall
)

// realFrame is what every real rehearsal of a signing key has.
func (d *draw) realFrame(validators ...validator) *rehearsal {
	r := &rehearsal{speed: 90, objective: one(d, "99.9%", "99%"), baseline: d.between(5*time.Minute, 6*time.Minute), canary: d.chance(0.7)}
	r.gates = one(d, "enforce", "observe", "off")
	r.refresh = d.between(45*time.Second, 90*time.Second)
	r.propagation = d.between(0, 45*time.Second)
	r.life = d.between(8*time.Minute, 9*time.Minute)
	r.validators = validators
	d.realLoad(r)
	d.realHold(r)
	return r
}

func (d *draw) realLoad(r *rehearsal) {
	d.load(r, 20, 25, 20, 24)
	for i := range r.clients {
		r.clients[i].life = r.life
	}
}

// realHold is hold with room for what does not scale.
func (d *draw) realHold(r *rehearsal) {
	d.hold(r)
	r.lead += r.inPage(jwxRounds)
	r.watch += r.inPage(jwxRounds)
}

func jwx() validator {
	return validator{name: "slow", library: "jwx", onPage: true, ttl: true, learns: jwxPeriod, forgets: jwxPeriod}
}

func goOIDC() validator {
	return validator{name: "forever", library: "go-oidc", onPage: true, forgets: never}
}

func singleKey() validator {
	return validator{name: "narrow", library: "single-key", onPage: true, learns: 5 * time.Minute, forgets: 5 * time.Minute}
}

func realHolds(d *draw) (*rehearsal, Truth) { return d.realFrame(jwx()), Truth{Verdict: Pass} }

func realShortLead(d *draw) (*rehearsal, Truth) {
	r := d.realFrame(jwx())
	r.gates = one(d, letGo...)
	r.lead = d.between(r.inPage(500*time.Millisecond)+time.Second, jwxPeriod-r.refresh-2*r.life/5-r.inPage(2*certain))
	return r, Truth{Verdict: Fail, Named: [][]string{{"slow"}}}
}

func realShortLeadGated(d *draw) (*rehearsal, Truth) {
	r := d.realFrame(jwx())
	r.gates = "enforce"
	r.lead = d.between(r.inPage(500*time.Millisecond)+time.Second, jwxPeriod)
	return r, Truth{Verdict: Fail, Named: [][]string{{"slow"}}}
}

func realShortWindow(d *draw) (*rehearsal, Truth) {
	r := d.realFrame(jwx())
	r.gates = one(d, letGo...)
	r.life = d.between(15*time.Minute, 18*time.Minute)
	d.realLoad(r)
	d.realHold(r)
	r.window = d.between(r.inPage(500*time.Millisecond)+time.Second, 2*r.life/5-r.inPage(certain))
	truth := Truth{Verdict: Fail}
	for _, name := range r.clientNames() {
		truth.Named = append(truth.Named, []string{name})
	}
	return r, truth
}

func realNeverForgets(d *draw) (*rehearsal, Truth) {
	return d.realFrame(goOIDC()), Truth{Verdict: Fail, Named: [][]string{{"forever"}}}
}

// realMissedConsumer names the one off the page, and the one on it that never
// forgets unless a gate stops the run before.
func realMissedConsumer(d *draw) (*rehearsal, Truth) {
	r := d.realFrame(goOIDC(), validator{name: "reports", library: "static", learns: never, forgets: never})
	truth := Truth{Verdict: Fail, Named: [][]string{{"reports"}}}
	if r.gates != "enforce" {
		truth.Named = append(truth.Named, []string{"forever"})
	}
	return r, truth
}

func realOneSlot(d *draw) (*rehearsal, Truth) {
	r := d.realFrame(singleKey())
	r.life = d.between(12*time.Minute, 15*time.Minute)
	d.realLoad(r)
	d.realHold(r)
	return r, Truth{Verdict: Fail, Named: [][]string{{"narrow"}}}
}

// realStuckSigner has only one key in its set for ever, so that one slot is
// enough for it.
func realStuckSigner(d *draw) (*rehearsal, Truth) {
	r := d.realFrame(singleKey())
	r.pinned = true
	return r, Truth{Verdict: Fail, Named: [][]string{{"auth"}}}
}

func realMissedSigner(d *draw) (*rehearsal, Truth) {
	r := d.realFrame(goOIDC())
	r.offPageSigner = true
	r.clients = append(r.clients, client{name: "nightly", to: "forever", from: "backup", rate: 20, sessions: 5, life: r.life})
	truth := Truth{Verdict: Fail, Named: [][]string{{"backup"}}}
	if r.gates != "enforce" {
		truth.Named = append(truth.Named, []string{"forever"})
	}
	return r, truth
}

// killed is a fault that kills a service for good.
func killed(d *draw, r *rehearsal, service string) {
	r.extra = fmt.Sprintf("faults: [{kind: kill, on: %s, at: overlap+%s}]\n", service, text(d.between(time.Second, r.inPage(time.Second))))
}

func realConsumerKilled(d *draw) (*rehearsal, Truth) {
	r := d.realFrame(goOIDC())
	killed(d, r, "forever")
	return r, Truth{Verdict: Fail, Named: [][]string{{"forever"}}}
}

// realKey draws an API key; its clients are slow enough for a busy machine.
func (d *draw) realKey() *rehearsal {
	r := d.holdingKey()
	r.speed, r.refresh = 60, d.between(30*time.Second, time.Minute)
	r.watch = d.between(8*time.Minute, 10*time.Minute)
	for i := range r.clients {
		r.clients[i].rate = d.number(16, 24)
	}
	return r
}

func realKeyHolds(d *draw) (*rehearsal, Truth) { return d.realKey(), Truth{Verdict: Pass} }

func realKeyMissed(d *draw) (*rehearsal, Truth) {
	r := d.realKey()
	r.offPageSigner = true
	r.clients = append(r.clients, client{name: "cron", to: "backup", rate: 20, sessions: 1})
	return r, Truth{Verdict: Fail, Named: [][]string{{"backup"}}}
}

func realKeyStuck(d *draw) (*rehearsal, Truth) {
	r := d.realKey()
	r.pinned = true
	return r, Truth{Verdict: Fail, Named: [][]string{{"billing"}}}
}

func realKeyAuthorityKilled(d *draw) (*rehearsal, Truth) {
	r := d.realKey()
	r.gates = one(d, letGo...)
	r.onBudget = "record"
	killed(d, r, "payments")
	return r, Truth{Verdict: Fail, Named: [][]string{{"payments"}}}
}

// realKeySlow has a client that hardly sends: nobody can tell.
func realKeySlow(d *draw) (*rehearsal, Truth) {
	r := d.realKey()
	r.clients = r.clients[:1]
	r.clients[0].rate, r.clients[0].sessions = 0, 1
	return r, Truth{Verdict: Inconclusive}
}

// realSituations are drawn for real services.
func realSituations() []situation {
	return []situation{
		{"all bounds hold", realHolds},
		{"lead short", realShortLead},
		{"lead short, gated", realShortLeadGated},
		{"window short", realShortWindow},
		{"never forgets", realNeverForgets},
		{"consumer off the page", realMissedConsumer},
		{"one slot", realOneSlot},
		{"signer that does not switch", realStuckSigner},
		{"signer off the page", realMissedSigner},
		{"consumer killed", realConsumerKilled},
		{"key: all bounds hold", realKeyHolds},
		{"key: consumer off the page", realKeyMissed},
		{"key: consumer that does not switch", realKeyStuck},
		{"key: provider killed", realKeyAuthorityKilled},
		{"key: a client that hardly sends", realKeySlow},
		{"taken back from a phase", realBack},
		{"key: taken back from a phase", realKeyBack},
	}
}
