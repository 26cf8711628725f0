package accuracy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// draw makes the random choices of one case.
type draw struct {
	random *rand.Rand
}

// between is a page time in [low, high], in whole seconds.
func (d *draw) between(low, high time.Duration) time.Duration {
	if high <= low {
		return low.Truncate(time.Second)
	}
	return (low + time.Duration(d.random.Int64N(int64(high-low)+1))).Truncate(time.Second)
}

// number is one in [low, high].
func (d *draw) number(low, high int) int { return low + d.random.IntN(high-low+1) }

// chance is true with a probability.
func (d *draw) chance(p float64) bool { return d.random.Float64() < p }

// one is one of several.
func one[T any](d *draw, of ...T) T { return of[d.random.IntN(len(of))] }

// never is longer than any rehearsal.
const never = time.Duration(1<<63 - 1)

// validator is a verifier of a drawn rehearsal; learns and forgets are what it
// does, in page time.
type validator struct {
	name            string
	library         string
	onPage          bool
	cached          bool // it reads through the shared cache
	ttl             bool // a library that fetches every `learns` and never on a miss
	learns, forgets time.Duration
}

// client is a stream of load.
type client struct {
	name, to, from string
	rate, sessions int // rate: per second; 0: rarely
	life           time.Duration
	renews         bool // on a refusal
}

// rehearsal is a drawn page and scenario. All times but those of world are page
// time.
type rehearsal struct {
	apiKey                               bool
	hook                                 *hook // nil: it is not about a webhook secret
	speed                                int
	gates, onBudget                      string // empty: the default
	objective                            string
	baseline, refresh, propagation, life time.Duration
	lead, window, watch, cacheTTL        time.Duration
	canary, pinned                       bool // pinned: the emitter on the page
	offPageSigner                        bool // a second emitter, pinned and not on the page
	validators                           []validator
	clients                              []client
	back                                 history.Phase // from which it is taken back; empty: it is not
	compromised                          bool
	extra                                string        // more lines of the scenario
	lag                                  time.Duration // of an API key's provider, after a revoke
	world                                simulated.Options
}

// inPage is the page time of a wall time.
func (r *rehearsal) inPage(wall time.Duration) time.Duration { return wall * time.Duration(r.speed) }

// g1 is the least lead for a validator: what it learns in, the shared cache, the
// emitter's refresh and the propagation (FACTS: E ≥ A + C + D + p).
func (r *rehearsal) g1(v validator) time.Duration {
	if v.learns == never {
		return never
	}
	sum := v.learns + r.refresh + r.propagation
	if v.cached {
		sum += r.cacheTTL
	}
	return sum
}

// g2 is the least window (R ≥ E_last + L + p).
func (r *rehearsal) g2() time.Duration { return r.life + r.propagation }

// g3 is the latest refusal after the revoke (R + F + D + p).
func (r *rehearsal) g3(v validator) time.Duration {
	if v.forgets == never {
		return never
	}
	sum := v.forgets + r.refresh + r.propagation
	if v.cached {
		sum += r.cacheTTL
	}
	return sum
}

// clientNames are the names of all clients.
func (r *rehearsal) clientNames() []string {
	var names []string
	for _, c := range r.clients {
		names = append(names, c.name)
	}
	return names
}

// page is the page as a file.
func (r *rehearsal) page() string {
	var b strings.Builder
	if r.hook != nil {
		b.WriteString(r.hookPage())
	} else {
		b.WriteString(r.keyPage())
	}
	fmt.Fprintf(&b, "rollout: {lead: %s, propagation: %s, watch: %s}\noverlap: {window: %s}\n",
		text(r.lead), text(r.propagation), text(r.watch), text(r.window))
	checks := "auth-failures, availability, distribution"
	if r.canary {
		checks += ", canary"
	}
	fmt.Fprintf(&b, "verification: {slo: {objective: %s}, checks: [%s]}\n", r.objective, checks)
	b.WriteString("rollback: {when: {auth_failures_over: 1%, for: 10s}}\nschedule: {}\n")
	return b.String()
}

// keyPage is the part of the page that differs by family, of a signing key or an
// API key.
func (r *rehearsal) keyPage() string {
	var b strings.Builder
	family, format, distribution := "jwt-signing-key", "type: ES256, identifier: kid, longest_life: "+text(r.life), "jwks, jwks: /.well-known/jwks.json"
	if r.apiKey {
		family, format, distribution = "api-key", "type: bearer, identifier: tag", "poll"
	}
	fmt.Fprintf(&b, "apiVersion: rehearse/v1\nkind: Runbook\nscope: {name: drawn, family: %s}\n", family)
	fmt.Fprintf(&b, "storage: {store: vault, publish: {path: secret/data/drawn/key}, distribution: %s}\nconsumers:\n", distribution)
	fmt.Fprintf(&b, "  - {name: %s, roles: [emit], refresh: %s}\n", r.emitter(), text(r.refresh))
	for _, v := range r.validators {
		if !v.onPage {
			continue
		}
		fmt.Fprintf(&b, "  - {name: %s, roles: [validate], library: %s", v.name, v.library)
		if v.ttl && v.library == "static" { // a stand-in for any library with this TTL
			fmt.Fprintf(&b, ", learns_within: %s, forgets_within: %s", text(v.learns), text(v.forgets))
		}
		b.WriteString("}\n")
	}
	fmt.Fprintf(&b, "format: {%s}\n", format)
	return b.String()
}

// emitter is the one on the page.
func (r *rehearsal) emitter() string {
	if r.apiKey {
		return "billing"
	}
	return "auth"
}

// scenario is the scenario as a file.
func (r *rehearsal) scenario(seed int64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: rehearse/v1\nkind: Scenario\nrunbook: page.yaml\nspeed: %d\nseed: %d\nbaseline: %s\n", r.speed, seed, text(r.baseline))
	if r.gates != "" {
		fmt.Fprintf(&b, "gates: %q\n", r.gates)
	}
	if r.onBudget != "" {
		fmt.Fprintf(&b, "on_budget: %s\n", r.onBudget)
	}
	if r.back != "" {
		fmt.Fprintf(&b, "rollback_from: %s\n", r.back)
	}
	if r.compromised {
		b.WriteString("compromised: true\n")
	}
	if r.hook != nil {
		b.WriteString(r.hookServices())
	} else {
		b.WriteString(r.keyServices())
	}
	b.WriteString(r.extra)
	return b.String()
}

// keyServices are the services and the load of a signing key or an API key.
func (r *rehearsal) keyServices() string {
	var b strings.Builder
	b.WriteString("services:\n")
	kind := "issuer"
	if r.apiKey {
		kind = "charger"
		fmt.Fprintf(&b, "  payments: {serve: provider, lag: %s}\n", text(r.lag))
	}
	emitter := func(name string, keeps bool) {
		fmt.Fprintf(&b, "  %s: {serve: %s%s}\n", name, kind, pinned(keeps))
	}
	emitter(r.emitter(), r.pinned)
	if r.offPageSigner {
		emitter("backup", true)
	}
	if r.cacheTTL > 0 {
		fmt.Fprintf(&b, "  cdn: {serve: cache, of: auth, ttl: %s}\n", text(r.cacheTTL))
	}
	for _, v := range r.validators {
		of := "auth"
		if v.cached {
			of = "cdn"
		}
		fmt.Fprintf(&b, "  %s: {serve: verifier, library: %s, of: %s}\n", v.name, v.library, of)
	}
	b.WriteString("load:\n")
	for _, c := range r.clients {
		rate := fmt.Sprintf("%d/s", c.rate)
		if c.rate == 0 {
			rate = "120/h"
		}
		fmt.Fprintf(&b, "  - {client: %s, to: %s, rate: %s, sessions: %d", c.name, c.to, rate, c.sessions)
		if !r.apiKey {
			onRefusal := "keep"
			if c.renews {
				onRefusal = "renew"
			}
			fmt.Fprintf(&b, ", token: {from: %s, life: %s, on_refusal: %s}", c.from, text(c.life), onRefusal)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// text is a page time as a file has it.
func text(d time.Duration) string { return d.String() }
