// Package plan is a page and a scenario merged, checked and timed: what a run
// will do, known before anything is started: its phases with the lead and the window
// of the page, in page time and at the speed of the run, and what the bounds need.
package plan

import (
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
