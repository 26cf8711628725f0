package plan

import (
	"cmp"
	"slices"
	"time"
)

// Validator is a party that checks credentials.
type Validator struct {
	Name    string        `json:"name"`
	OnPage  bool          `json:"on_page"`
	Library string        `json:"library,omitempty"`
	Learns  time.Duration `json:"learns_ns"`         // C
	Forgets time.Duration `json:"forgets_ns"`        // F; runbook.Forever: no bound
	Granule time.Duration `json:"granule_ns"`        // wall; what its library rounds up or adds
	Shared  time.Duration `json:"shared_ns"`         // D: TTL of the cache between it and the emitter
	Via     string        `json:"via,omitempty"`     // that cache's name
	From    string        `json:"from,omitempty"`    // the emitter whose credentials it takes
	Keys    int           `json:"keys,omitempty"`    // how many it holds at a time; 0: no limit
	OnMiss  bool          `json:"on_miss,omitempty"` // an unknown credential makes it fetch
	// Cooldown is how often that may happen at most; 0: at every one.
	Cooldown time.Duration `json:"cooldown_ns,omitempty"`
	// Authority says that the validator is the authority itself (a database, a provider), which learns
	// with the step.
	Authority bool `json:"authority,omitempty"`
	// Reads says that it reads the published secret itself, and learns and
	// forgets when it does.
	Reads bool `json:"reads,omitempty"`
	// GivenOne says that it is given the credential to emit only, and no other.
	GivenOne bool `json:"given_one,omitempty"`
	// Connections is how many it has room for, where that is known.
	Connections int `json:"connections,omitempty"`
	// Behind is the pooler through which everybody reaches it, and which checks in its place; empty
	// where somebody presents to it directly, or nobody is known to.
	Behind string `json:"behind,omitempty"`
	// Rereads is how often it really reads, where the scenario sets that otherwise than the page. The
	// bounds use the page.
	Rereads time.Duration `json:"rereads_ns,omitempty"`
	// Keeps is how long it really keeps what was removed, where the scenario makes that longer than the
	// page says; else 0.
	Keeps time.Duration `json:"keeps_ns,omitempty"`
	// Reloaded says that the rehearsal makes it reload, by a signal, a request or a restart: how often
	// it fetches by itself then says nothing.
	Reloaded bool `json:"reloaded,omitempty"`
	// Untold says that neither a log nor a canary tells what it has taken before somebody presents to
	// it.
	Untold bool `json:"untold,omitempty"`
	// Uncounted says that nothing tells what it decides, of a secret whose value is presented.
	Uncounted bool `json:"uncounted,omitempty"`
	// Blind says that no log tells of its fetches. What it has is then known only by its answers.
	Blind bool `json:"blind,omitempty"`
	// Through is the gateway from which a blind validator has its key set, where a log tells of the
	// gateway's fetches: its rhythm then counts for both.
	Through string `json:"through,omitempty"`
	// Fleet is how many alike stand behind its address, each with a key set that it fetches
	// at a time of its own; 0: one.
	Fleet int `json:"fleet,omitempty"`
	// Alone says that one process answers for it, the same each time: in virtual time that is known.
	Alone bool `json:"alone,omitempty"`
	// Fronts are the external services that clients of the load call and that have its address in their
	// settings, directly or through others: what they hand on reaches it, and they answer for what it
	// refuses.
	Fronts []string `json:"fronts,omitempty"`
	// Hands are the validators whose addresses its settings have: it may hand on to them what it is
	// shown, and answer as they do.
	Hands []string `json:"hands,omitempty"`
}

// fetcher is the party whose fetches tell what a validator has.
func (v Validator) fetcher() string { return cmp.Or(v.Through, v.Name) }

// Emitter is a party that signs with the credential or presents it.
type Emitter struct {
	Name    string        `json:"name"`
	OnPage  bool          `json:"on_page"`
	Refresh time.Duration `json:"refresh_ns"`
	// Reloaded says that the rehearsal makes it reload, or starts it anew for what is in its environment:
	// how often it reads by itself then says nothing.
	Reloaded bool `json:"reloaded,omitempty"`
	// Several says that it presents every accepted credential at once, the
	// emitted one first: a validator may take either.
	Several bool `json:"several,omitempty"`
	// Pool is how many connections it keeps, in a family of pools; SwapsPool says that it fills a new
	// pool while the old one lives on.
	Pool      int  `json:"pool,omitempty"`
	SwapsPool bool `json:"swaps_pool,omitempty"`
	// Life is how long it keeps a connection, whatever the page says of the longest life.
	Life time.Duration `json:"life_ns,omitempty"`
}

// Connections is how many it needs at the switch: its pool, twice where it swaps pools.
func (e Emitter) Connections() int {
	if e.SwapsPool {
		return 2 * e.Pool
	}
	return e.Pool
}

// Client is a stream of load.
type Client struct {
	Name     string  `json:"name"`
	To       string  `json:"to"`                 // the service it calls
	Endpoint string  `json:"endpoint,omitempty"` // the validator to which To then presents
	Through  string  `json:"through,omitempty"`  // the pooler through which To presents
	From     string  `json:"from,omitempty"`     // the emitter of its tokens
	Rate     float64 `json:"rate"`               // per second of wall time, until it is changed
	Later    bool    `json:"later,omitempty"`    // it does not begin with the others
	Sessions int     `json:"sessions"`
	// Each is how many sessions one session stands for, of many equal clients; 0: itself.
	Each    int           `json:"each,omitempty"`
	Life    time.Duration `json:"life_ns"`
	Timeout time.Duration `json:"timeout_ns,omitempty"` // wall time; 0: contract.ClientTimeout
}

// Cache is a shared cache in front of a key set, or, with a TTL of 0, a relay, which keeps
// nothing and tells who fetched what.
type Cache struct {
	Name string        `json:"name"`
	Of   string        `json:"of"`
	TTL  time.Duration `json:"ttl_ns"`
	// Fleet is how many alike stand behind its address, each with an answer that it keeps by
	// itself; 0: one.
	Fleet int `json:"fleet,omitempty"`
}

// Gateway is a service of a team's own that hands on a key set.
type Gateway struct {
	Name string   `json:"name"`
	Of   []string `json:"of"` // whose set; several: it answers with one or another
}

// Emitter finds an emitter by name.
func (l Limits) Emitter(name string) (Emitter, bool) {
	for _, e := range l.Emitters {
		if e.Name == name {
			return e, true
		}
	}
	return Emitter{}, false
}

// Validator finds a validator by name.
func (l Limits) Validator(name string) (Validator, bool) {
	for _, v := range l.Validators {
		if v.Name == name {
			return v, true
		}
	}
	return Validator{}, false
}

// InPlace reports whether an authority has room for one credential, so that accepting the new one
// replaces the old one.
func (l Limits) InPlace() bool {
	return slices.ContainsFunc(l.Validators, func(v Validator) bool { return v.Authority && v.Keys == 1 })
}

// Client finds a client by name.
func (l Limits) Client(name string) (Client, bool) {
	for _, c := range l.Clients {
		if c.Name == name {
			return c, true
		}
	}
	return Client{}, false
}

// Refills is the longest time between two fetches that a validator makes by itself: by the page, or the
// real one where that is longer. A validator that fetches on a miss fetches when what it has expires.
func (v Validator) Refills() time.Duration {
	if v.OnMiss {
		return v.Forgets
	}
	return max(v.Learns, v.Rereads)
}
