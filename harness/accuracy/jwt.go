package accuracy

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// certain is wall time that keeps a draw away from a bound: what polls, log
// lines, ticks and the search for a fresh cache take together.
const certain = 2 * time.Second

// Ways in which gates that are not enforced let a run go on.
var letGo = []string{"observe", "off"}

// holding draws a signing key whose page holds all bounds, under load that
// says enough.
func (d *draw) holding() *rehearsal {
	r := d.frame()
	for i := range d.number(1, 3) {
		v := validator{name: fmt.Sprintf("verifier-%d", i+1), onPage: true}
		if d.chance(0.4) {
			v.library, v.learns, v.forgets = "keyfunc", 0, time.Hour
		} else {
			d.expires(r, &v, 4*time.Minute, 25*time.Minute)
		}
		r.validators = append(r.validators, v)
	}
	if d.chance(0.3) {
		r.cacheTTL = d.between(r.inPage(5*time.Second), 10*time.Minute)
		for i := range r.validators {
			r.validators[i].cached = d.chance(0.6)
		}
	}
	d.load(r, 1, 30, 6, 60)
	d.hold(r)
	return r
}

// frame is what every drawn rehearsal of a signing key has.
func (d *draw) frame() *rehearsal {
	r := &rehearsal{speed: one(d, 30, 45, 60), objective: one(d, "99.9%", "99.9%", "99%"), baseline: d.between(5*time.Minute, 8*time.Minute)}
	r.gates = one(d, "enforce", "observe", "off")
	r.refresh = d.between(r.inPage(500*time.Millisecond)+time.Second, 2*time.Minute)
	r.propagation = d.between(0, time.Minute)
	r.life = d.between(8*time.Minute, 20*time.Minute)
	r.canary = d.chance(0.7)
	return r
}

// expires makes a validator one that fetches every so often and on no miss.
func (d *draw) expires(r *rehearsal, v *validator, low, high time.Duration) {
	v.library, v.ttl = "static", true
	v.learns = d.between(low, high)
	v.forgets = v.learns
	if r.world.Validators == nil {
		r.world.Validators = map[string]simulated.Behaviour{}
	}
	r.world.Validators[v.name] = simulated.Behaviour{Refresh: v.learns}
}

// only leaves one validator on the page, of which it says what it is.
func (d *draw) only(r *rehearsal, v validator) *validator {
	r.validators, r.clients, r.cacheTTL, r.world.Validators = []validator{v}, nil, 0, nil
	return &r.validators[0]
}

// load gives every validator a client or two of which each says enough.
func (d *draw) load(r *rehearsal, sessionsLow, sessionsHigh, rateLow, rateHigh int) {
	r.clients = nil
	for _, v := range r.validators {
		for range d.number(1, 2) {
			r.clients = append(r.clients, client{
				name: fmt.Sprintf("client-%d", len(r.clients)+1), to: v.name, from: "auth",
				rate: d.number(rateLow, rateHigh), sessions: d.number(sessionsLow, sessionsHigh),
				life: d.between(5*time.Minute, r.life), renews: d.chance(0.3),
			})
		}
	}
}

// hold draws times that hold all bounds of what is on the page and will ever
// learn and forget.
func (d *draw) hold(r *rehearsal) {
	var g1, g3 time.Duration
	for _, v := range r.validators {
		if one := r.g1(v); v.onPage && one != never {
			g1 = max(g1, one)
		}
		if one := r.g3(v); v.onPage && one != never {
			g3 = max(g3, one)
		}
	}
	r.lead = g1 + d.between(time.Second, 6*time.Minute)
	r.window = r.g2() + d.between(time.Second, 4*time.Minute)
	// Long enough for every session to be seen with the new credential too.
	r.watch = max(g3, r.life) + d.between(r.inPage(certain), 5*time.Minute)
}

// bystander is a validator that learns when it meets a key, to whom a short
// lead does nothing.
func bystander() validator {
	return validator{name: "bystander", library: "keyfunc", onPage: true, forgets: time.Hour}
}

// allHold is a page that holds: a pass.
func allHold(d *draw) (*rehearsal, Truth) { return d.holding(), Truth{Verdict: Pass} }

// shortLead is a lead that ends before the slowest cache can have the new key,
// and nobody to stop it. With some twenty sessions whose tokens are renewed in
// turn, the new key is in use long before half of a renewal is over.
func shortLead(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	r.gates = one(d, letGo...)
	slow := d.only(r, validator{name: "slow", onPage: true})
	d.expires(r, slow, 24*time.Minute, 40*time.Minute)
	if d.chance(0.5) {
		r.validators = append(r.validators, bystander())
	}
	r.life = d.between(8*time.Minute, 10*time.Minute)
	d.load(r, 20, 30, 20, 60)
	d.hold(r)
	slowest := r.validators[0].learns
	r.lead = d.between(r.inPage(500*time.Millisecond)+time.Second, slowest-r.refresh-2*r.life/5-r.inPage(2*certain))
	truth := Truth{Verdict: Fail, Named: [][]string{{"slow"}}}
	for _, v := range r.validators[1:] {
		if r.lead < r.g1(v)+r.inPage(certain) {
			truth.May = append(truth.May, v.name) // a canary before the key is published makes it cool down
		}
	}
	return r, truth
}

// shortLeadGated is a lead below the bound of at least one validator, and gates
// that are enforced: they name those validators and nobody else.
func shortLeadGated(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	r.gates = "enforce"
	var longest time.Duration
	for _, v := range r.validators {
		longest = max(longest, r.g1(v))
	}
	r.lead = d.between(r.inPage(500*time.Millisecond)+time.Second, longest-time.Second)
	truth := Truth{Verdict: Fail}
	for _, v := range r.validators {
		if r.g1(v) > r.lead {
			truth.Named = append(truth.Named, []string{v.name})
		}
	}
	return r, truth
}

// shortLeadTurnedBack is a short lead without gates, in which the budget turns
// the rotation back.
func shortLeadTurnedBack(d *draw) (*rehearsal, Truth) {
	r, truth := shortLead(d)
	r.gates, r.onBudget = "off", "rollback"
	return r, truth
}

// shortWindow is a revoke while most sessions have tokens of the old key.
func shortWindow(d *draw) (*rehearsal, Truth) {
	r := d.windowOf(letGo...)
	truth := Truth{Verdict: Fail}
	for _, name := range r.clientNames() {
		truth.Named = append(truth.Named, []string{name})
	}
	return r, truth
}

// windowOf draws a window that is over while more than half of the sessions use
// the old key: tokens are renewed at 0.8 of their life, evenly over it.
func (d *draw) windowOf(gates ...string) *rehearsal {
	r := d.holding()
	r.gates = one(d, gates...)
	r.life = d.between(15*time.Minute, 25*time.Minute)
	d.load(r, 20, 30, 25, 60)
	for i := range r.clients {
		r.clients[i].life = r.life
	}
	d.hold(r)
	r.window = d.between(r.inPage(500*time.Millisecond)+time.Second, 2*r.life/5-r.inPage(certain))
	return r
}

// shortWindowGated is a window below the bound under gates. Who still uses the
// old key at its end may be named, and nobody else.
func shortWindowGated(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	r.gates = "enforce"
	r.window = d.between(r.inPage(500*time.Millisecond)+time.Second, r.g2()-time.Second)
	return r, Truth{Verdict: Fail, May: r.clientNames()}
}

// shortWatch ends while a validator still takes the old key and is entitled to:
// nobody can tell. A gate that is enforced does not let it end so. The fetches
// of the validator follow from the accept: the first is up to a refresh after it.
func shortWatch(d *draw) (*rehearsal, Truth) {
	for {
		r := d.holding()
		v := d.only(r, validator{name: "slow", onPage: true})
		d.expires(r, v, 24*time.Minute, 40*time.Minute)
		d.load(r, 20, 30, 20, 60)
		d.hold(r)
		period := r.validators[0].learns
		// The revoke comes up to a refresh after lead and window, and the key set
		// is without the old key up to another one later.
		low, high := r.lead+r.window-r.refresh, r.lead+r.window+2*r.refresh+r.inPage(certain)
		forgets := (low/period + 1) * period
		if high/period != low/period {
			continue
		}
		most := forgets - low - 2*r.refresh - r.inPage(certain)
		if most < r.inPage(certain) {
			continue
		}
		r.watch = d.between(r.inPage(certain), most)
		if r.gates == "enforce" {
			return r, Truth{Verdict: Fail, Named: [][]string{{"slow"}}}
		}
		return r, Truth{Verdict: Inconclusive}
	}
}

// neverForgets has a validator that nothing makes forget.
func neverForgets(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	r.validators = append(r.validators, validator{name: "forever", library: "go-oidc", onPage: true, forgets: never})
	d.load(r, 5, 30, 10, 60)
	d.hold(r)
	return r, Truth{Verdict: Fail, Named: [][]string{{"forever"}}}
}

// missedConsumer has a validator that nobody wrote on the page and that loaded
// its keys when it started.
func missedConsumer(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	r.validators = append(r.validators, validator{name: "reports", library: "static", learns: never, forgets: never})
	d.load(r, 20, 30, 20, 60)
	d.hold(r)
	return r, Truth{Verdict: Fail, Named: [][]string{{"reports"}}}
}

// missedSigner has a second signer that nobody wrote on the page and that goes
// on with what it found.
func missedSigner(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	r.offPageSigner = true
	r.clients = append(r.clients, client{
		name: "nightly", to: r.validators[0].name, from: "backup", rate: d.number(20, 40), sessions: d.number(5, 20), life: r.life,
	})
	return r, Truth{Verdict: Fail, Named: [][]string{{"backup"}}}
}

// oneSlot has a validator that keeps the first key of the set.
func oneSlot(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	r.life = d.between(12*time.Minute, 20*time.Minute)
	r.validators = append(r.validators, validator{name: "narrow", library: "single-key", onPage: true, learns: 5 * time.Minute, forgets: 5 * time.Minute})
	d.load(r, 20, 30, 20, 60)
	for i := range r.clients {
		r.clients[i].life = r.life
	}
	d.hold(r)
	return r, Truth{Verdict: Fail, Named: [][]string{{"narrow"}}}
}

// stuckSigner has the signer on the page go on with the old key for ever. Those
// who take what it publishes can do nothing about it.
func stuckSigner(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	r.pinned = true
	return r, Truth{Verdict: Fail, Named: [][]string{{"auth"}}}
}

// claimedTooSoon has a page that promises of a validator what it does not keep:
// it never fetches again.
func claimedTooSoon(d *draw) (*rehearsal, Truth) {
	r := d.holding()
	v := validator{name: "promised", onPage: true}
	d.expires(r, &v, 4*time.Minute, 15*time.Minute)
	delete(r.world.Validators, v.name) // as its library, static, does
	r.validators = append(r.validators, v)
	d.load(r, 20, 30, 20, 60)
	d.hold(r)
	return r, Truth{Verdict: Fail, Named: [][]string{{"promised"}}}
}

// twoWrong is a short lead beside a consumer that nobody wrote on the page.
func twoWrong(d *draw) (*rehearsal, Truth) {
	r, truth := shortLead(d)
	r.validators = append(r.validators, validator{name: "reports", library: "static", learns: never, forgets: never})
	r.clients = append(r.clients, client{name: "batch", to: "reports", from: "auth", rate: 30, sessions: 20, life: r.life})
	truth.Named = append(truth.Named, []string{"reports"})
	return r, truth
}
