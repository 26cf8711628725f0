// Package plan is a page and a scenario merged, checked and timed: what a run
// will do, known before anything is started: its phases with the lead and the window
// of the page, in page time and at the speed of the run, and what the bounds need.
package plan

import (
	"cmp"
	"io/fs"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// Plan is what a run will do.
type Plan struct {
	Name           string // of the scenario: "jwt-signing-key/healthy"
	File           string // the path of its file as it was given; empty: it is built in
	ScenarioDigest string // SHA-256 of the merged scenario, hex
	RunbookDigest  string // SHA-256 of the merged page, hex
	Runbook        runbook.Runbook
	Rehearsal      scenario.Scenario // with its defaults filled in

	Speed    float64
	Seed     int64
	Gates    scenario.GateMode
	OnBudget scenario.OnBudget
	// RollbackFrom is the phase at whose end the rotation is taken back, as it
	// was asked to be; empty: none. Compromised leaves the last wait of a way
	// back out.
	RollbackFrom history.Phase
	Compromised  bool
	// AnyMoment lets the accept fall into any moment, and not into the worst.
	AnyMoment bool
	// MaxSpeed is the largest speed at which every scaled duration stays well
	// above the granularity of what keeps it; MaxSpeedBecause names that duration.
	MaxSpeed        float64
	MaxSpeedBecause string

	Services []Service
	// Folder is a folder that the scenario names at a path of it, relative to the
	// file that says so.
	Folder func(at, relative string) (fs.FS, error)
	// Position is where the scenario has the value at a path.
	Position func(path string) source.Position
	Limits   Limits
	Times    Times
	// Unseen are the parties of which the rehearsal cannot see what it has to
	// judge: it will be inconclusive.
	Unseen []Unseen
	// Drawn are the values drawn for durations that vary, by their paths; page time.
	Drawn map[string]time.Duration

	again func(seed int64) (*Plan, error) // nil: nothing is drawn
}

// WithSeed is the plan by another seed, for virtual time: what varies is drawn anew. The
// error is that of Build.
func (p *Plan) WithSeed(seed int64) (*Plan, error) {
	if p.again == nil {
		other := *p
		other.Seed = seed
		return &other, nil
	}
	other, err := p.again(seed)
	if err != nil {
		return nil, err
	}
	other.AnyMoment = p.AnyMoment
	return other, nil
}

// Times are the wall times of the phases: page time divided by the speed, but
// for the timebox.
type Times struct {
	Baseline    time.Duration
	Lead        time.Duration // accept → emit
	Propagation time.Duration // bound for the emitters' switch, with their refresh
	Window      time.Duration // the last emitter's switch → revoke
	Watch       time.Duration // after the revoke
	// Timebox is the total hands-on time. People and the harness's own calls are no faster in a
	// rehearsal, so that it does not scale with the speed. 0: no limit.
	Timebox time.Duration
}

// Wall turns page time into wall time.
func (p *Plan) Wall(page time.Duration) time.Duration { return p.Limits.Wall(page) }

// NeedsVault reports whether the plan needs a real Vault, which rotates something itself.
func (p *Plan) NeedsVault() bool {
	return slices.ContainsFunc(p.Services, func(s Service) bool { return s.RotatedBy == scenario.RotatedByVault })
}

// Service is one service as the plan has it. Its Config is filled in by the
// family; string values in it and in Environment may use {{ .NAME.url }}.
type Service struct {
	scenario.Service
	Name     string
	OnPage   bool
	Consumer *runbook.Consumer // nil where it is not on the page
	Config   contract.Config   // of a stand-in
	// Needs are the services that must be healthy before this one starts.
	Needs []string
	// Reads says that it gets what is published, by its Distribution.
	Reads bool
}

// Limits are what the judge holds a history against: figures and the shape of
// the graph, without the scenario's name, its expect or its faults. Durations
// are page time unless they say wall. They are the first event of every
// history, so that a saved run can be judged again.
type Limits struct {
	Family string  `json:"family"`
	Speed  float64 `json:"speed"`
	// Simulated says that it is rehearsed in virtual time.
	Simulated bool `json:"simulated,omitempty"`
	// JudgedAt is whose observations decide flatness: those of the load where users
	// present the credential themselves, of the authority where a consumer does.
	JudgedAt  history.Source `json:"hop"`
	Objective float64        `json:"objective"` // SLO, share of first attempts
	// BudgetOver and BudgetFor are the page's trigger for a rollback.
	BudgetOver  float64       `json:"budget_over"`
	BudgetFor   time.Duration `json:"budget_for_ns"`
	Gates       string        `json:"gates"`
	OnBudget    string        `json:"on_budget"`
	Lead        time.Duration `json:"lead_ns"`
	Propagation time.Duration `json:"propagation_ns"`
	// PropagatedBy says which distribution the propagation time comes from, where the page does not
	// give it.
	PropagatedBy string        `json:"propagated_by,omitempty"`
	Window       time.Duration `json:"window_ns"`
	Watch        time.Duration `json:"watch_ns"`
	LongestLife  time.Duration `json:"longest_life_ns"` // of anything made with the old credential
	Checks       []string      `json:"checks"`

	Validators []Validator `json:"validators"`
	Emitters   []Emitter   `json:"emitters"`
	Clients    []Client    `json:"clients"`
	Caches     []Cache     `json:"caches,omitempty"`
	Exceptions []Exception `json:"exceptions,omitempty"` // clients that may keep the old credential longer
	// Refusals are the services of which the scenario says how they refuse.
	Refusals []string `json:"refusals,omitempty"`
	// Gateways are services of a team's own that hand on a key set.
	Gateways []Gateway `json:"gateways,omitempty"`

	// Rotated are the steps that a rotator of the team's own takes, in its own time.
	Rotated []string `json:"rotated,omitempty"`

	// Waived are the rules that the rehearsal leaves out, with the reason. Cannot are the steps that
	// the system cannot take.
	Waived map[string]string `json:"waived,omitempty"`
	Cannot map[string]string `json:"cannot,omitempty"`
	// Compromised says that the new credential, where it is taken back, has leaked.
	Compromised bool `json:"compromised,omitempty"`
	// Expires is how long after the emit the old credential expires by itself, where nobody revokes it;
	// page time, 0: somebody revokes it.
	Expires time.Duration `json:"expires_ns,omitempty"`

	// RuleSources says where the evidence for each rule comes from in an attached system; empty: the
	// run sees all of its own services.
	RuleSources []RuleSource `json:"evidence,omitempty"`
}

// RuleSource says where the evidence for a rule comes from.
type RuleSource struct {
	Rule string `json:"rule"`
	From string `json:"from"` // in words; where there is none, why
	None bool   `json:"none,omitempty"`
}

// Attached reports whether the system is not the run's own: its steps are those
// of a team.
func (l Limits) Attached() bool { return len(l.RuleSources) > 0 }

// Lacks reports whether there is no evidence for a rule, and why.
func (l Limits) Lacks(rule string) (why string, lacks bool) {
	for _, e := range l.RuleSources {
		if e.Rule == rule && e.None {
			return e.From, true
		}
	}
	return "", false
}

// Wall turns page time into wall time.
func (l Limits) Wall(page time.Duration) time.Duration {
	if page == runbook.Forever {
		return runbook.Forever
	}
	return bounded(float64(page) / l.Speed)
}

// Page turns wall time into page time.
func (l Limits) Page(wall time.Duration) time.Duration {
	return bounded(float64(wall) * l.Speed)
}

// bounded is a number of nanoseconds as a duration; one that is too large for
// that is the largest that there is.
func bounded(ns float64) time.Duration {
	const most = 1 << 62
	return time.Duration(max(-most, min(ns, most)))
}

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
	// Blind says that no log tells of its fetches. What it has is then known only by its answers.
	Blind bool `json:"blind,omitempty"`
	// Through is the gateway from which a blind validator has its key set, where a log tells of the
	// gateway's fetches: its rhythm then counts for both.
	Through string `json:"through,omitempty"`
	// Fleet is how many alike stand behind its address, each with a key set that it fetches
	// at a time of its own; 0: one.
	Fleet int `json:"fleet,omitempty"`
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
	// Reloaded says that the rehearsal makes it reload: how often it reads by itself then says nothing.
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

// Publishing is how long the emitter of a validator's credentials may take to
// read and publish a new one.
func (l Limits) Publishing(v Validator) time.Duration {
	e, _ := l.Emitter(v.From)
	return e.Refresh
}

// add adds durations; Forever where one is, or where the sum overflows.
func add(ds ...time.Duration) time.Duration {
	var sum time.Duration
	for _, d := range ds {
		if d > runbook.Forever-sum {
			return runbook.Forever
		}
		sum += d
	}
	return sum
}

// G1 is the least lead for a validator: E ≥ A + C + D + p, where p is both the
// emitter's refresh (until it publishes) and the page's propagation.
func (l Limits) G1(v Validator) time.Duration {
	return add(v.Learns, v.Shared, l.Publishing(v), l.Propagation)
}

// G2 is the least window from the last emitter's switch to the revoke:
// R ≥ E_last + L + s + p, with no skew on one machine.
func (l Limits) G2() time.Duration { return add(l.LongestLife, l.Propagation) }

// Outlives is G2 for something that lives longer than the page may know.
func (l Limits) Outlives(life time.Duration) time.Duration {
	return add(max(l.LongestLife, life), l.Propagation)
}

// G3 is the longest time after the revoke in which a validator may still take
// the old credential: R + F + D + p.
func (l Limits) G3(v Validator) time.Duration {
	return add(v.Forgets, v.Shared, l.Publishing(v), l.Propagation)
}
