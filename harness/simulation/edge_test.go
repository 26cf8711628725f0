package simulation

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/rotation"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// rehearsed is a rehearsal at the edge of a bound.
type rehearsed struct {
	plan *plan.Plan
	view *history.View
}

// at rehearses a scenario with a seed, as fast as time passes, with nothing that would stop it.
func at(t *testing.T, l *scenario.Loaded, seed int64) rehearsed {
	t.Helper()
	p, err := plan.Build(l, plan.Options{Simulated: true, Gates: scenario.Off, OnBudget: scenario.BudgetRecord, Seed: seed, Speed: 1})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Rehearse(t.Context(), p, simulated.Options{Seed: seed})
	if err != nil || r.Err != nil {
		t.Fatal(err, r.Err)
	}
	return rehearsed{p, history.ViewOf(r.History)}
}

// refused is how often a validator refused a credential.
func (r rehearsed) refused(validator, credential string) (n int64) {
	for _, key := range r.view.KeysAt(validator) {
		if key.Source == r.plan.Limits.JudgedAt && key.Credential == credential {
			n += r.view.Sum(key, 0, r.view.Now+1).AuthFailures
		}
	}
	return n
}

// kept is 1 where a validator still takes the revoked credential when the watch ends.
func (r rehearsed) kept(validator string) int64 {
	if _, takes := r.view.Holds[validator][rotation.Old]; takes {
		return 1
	}
	return 0
}

// service changes a service of a scenario, and consumer one of its page.
func service(l *scenario.Loaded, name string, change func(*scenario.Service)) {
	l.Scenario.Services = maps.Clone(l.Scenario.Services)
	s := l.Scenario.Services[name]
	change(&s)
	l.Scenario.Services[name] = s
}

func consumer(l *scenario.Loaded, name string, change func(*runbook.Consumer)) {
	i := slices.IndexFunc(l.Runbook.Consumers, func(c runbook.Consumer) bool { return c.Name == name })
	change(&l.Runbook.Consumers[i])
}

// soon has a page whose validators are quick wait no longer than they take.
func soon(l *scenario.Loaded) {
	l.Runbook.Rollout.Lead, l.Runbook.Rollout.Watch = runbook.Duration(3*time.Minute), runbook.Duration(3*time.Minute)
	l.Runbook.Overlap.Window = runbook.Duration(8 * time.Minute)
}

// without leaves out a service, with its place on the page and those who call it.
func without(l *scenario.Loaded, name string) {
	l.Scenario.Services = maps.Clone(l.Scenario.Services)
	delete(l.Scenario.Services, name)
	l.Runbook.Consumers = slices.DeleteFunc(l.Runbook.Consumers, func(c runbook.Consumer) bool { return c.Name == name })
	l.Scenario.Load = slices.DeleteFunc(l.Scenario.Load, func(c scenario.Client) bool { return c.To == name })
}

// refresh has the page say how often somebody reads.
func refresh(l *scenario.Loaded, name string, every time.Duration) {
	consumer(l, name, func(c *runbook.Consumer) { c.Refresh = runbook.Duration(every) })
}

// busy gives every client many sessions, whose tokens it keeps for nearly all of a life.
func busy(l *scenario.Loaded, life time.Duration) {
	for i := range l.Scenario.Load {
		l.Scenario.Load[i].Sessions, l.Scenario.Load[i].Rate = 100, 100
		if token := l.Scenario.Load[i].Token; token != nil {
			kept := *token
			kept.RenewAt, kept.Life = 0.99, runbook.Duration(life)
			l.Scenario.Load[i].Token = &kept
		}
	}
}

// TestAtTheEdgeOfTheBounds rehearses with a lead, a window and a watch that are just what the bounds ask for, where
// nobody is harmed whatever the moment, and with a little less, where somebody is.
func TestAtTheEdgeOfTheBounds(t *testing.T) {
	t.Parallel()
	const seeds = 3
	second := runbook.Duration(time.Second)
	lead := func(l *scenario.Loaded) *runbook.Duration { return &l.Runbook.Rollout.Lead }
	window := func(l *scenario.Loaded) *runbook.Duration { return &l.Runbook.Overlap.Window }
	watch := func(l *scenario.Loaded) *runbook.Duration { return &l.Runbook.Rollout.Watch }
	fresh := func(validator string) func(rehearsed) int64 {
		return func(r rehearsed) int64 { return r.refused(validator, rotation.New) }
	}
	old := func(validator string) func(rehearsed) int64 {
		return func(r rehearsed) int64 { return r.refused(validator, rotation.Old) }
	}
	kept := func(validator string) func(rehearsed) int64 {
		return func(r rehearsed) int64 { return r.kept(validator) }
	}
	for _, tt := range []struct {
		name, scenario  string
		prepare         func(*scenario.Loaded)
		rule, validator string
		field           func(*scenario.Loaded) *runbook.Duration
		needs           time.Duration // as the bound says
		less            time.Duration // by how much too little does harm
		harm            func(rehearsed) int64
	}{
		{"a verifier that fetches by a timer", "jwt-signing-key/healthy", func(l *scenario.Loaded) {
			busy(l, time.Minute)
			refresh(l, "auth", time.Second)
			without(l, "checkout") // slower, so that the moment would be the worst for it
		}, "G1", "search", lead, 15*time.Minute + time.Second, 5 * time.Second, fresh("search")},
		{"checkers that are rolled out in batches", "jwt-shared-secret/rollout-in-batches", func(l *scenario.Loaded) { busy(l, time.Minute) },
			"G1", "search", lead, 20 * time.Minute, 10 * time.Second, fresh("search")},
		{"a receiver that reads the store", "webhook-secret/healthy-github", func(l *scenario.Loaded) {
			refresh(l, "payments", time.Second)
			refresh(l, "ledger", 2*time.Second) // the moment is the worst for the slowest
			soon(l)
		},
			"G1", "orders", lead, time.Minute, 5 * time.Second, fresh("orders")},

		{"tokens of a key", "jwt-signing-key/healthy", func(l *scenario.Loaded) {
			busy(l, 15*time.Minute)
			refresh(l, "auth", time.Second)
			l.Scenario.Runtime = scenario.Simulated
			service(l, "search", func(s *scenario.Service) { s.Library = "" })
			consumer(l, "search", func(c *runbook.Consumer) { c.Library, c.LearnsWithin, c.ForgetsWithin = "", &second, &second })
		}, "G2", "", window, 15 * time.Minute, 40 * time.Second, old("search")},
		{"tokens of a shared secret", "jwt-shared-secret/healthy", func(l *scenario.Loaded) { busy(l, 5*time.Minute); refresh(l, "search", time.Second) },
			"G2", "", window, 5 * time.Minute, 15 * time.Second, old("search")},
		{"deliveries that are tried again", "webhook-secret/queued-retries", func(l *scenario.Loaded) { refresh(l, "orders", time.Second); soon(l) },
			"G2", "", window, 5 * time.Minute, 10 * time.Second, old("orders")},

		{"a provider whose revocation lags", "api-key/healthy", func(l *scenario.Loaded) {
			service(l, "payments", func(s *scenario.Service) { s.Lag = runbook.Duration(4 * time.Minute) })
			none, lag := runbook.Duration(0), runbook.Duration(4*time.Minute)
			l.Runbook.Consumers = append(slices.Clone(l.Runbook.Consumers), runbook.Consumer{Name: "payments", Roles: []runbook.Role{runbook.Validates}, LearnsWithin: &none, ForgetsWithin: &lag})
		}, "G3", "payments", watch, 4 * time.Minute, time.Second, kept("payments")},
		{"checkers that are rolled out in batches, to forget", "jwt-shared-secret/rollout-in-batches", func(*scenario.Loaded) {},
			"G3", "search", watch, 20 * time.Minute, time.Second, kept("search")},
		{"a verifier that forgets by a timer", "jwt-signing-key/healthy", func(l *scenario.Loaded) {
			refresh(l, "auth", time.Second)
			without(l, "checkout")
			l.Runbook.Overlap.Window = runbook.Duration(35 * time.Minute) // accepted and revoked just after a fetch, an hour apart
		}, "G3", "search", watch, 15*time.Minute + time.Second, 10 * time.Second, kept("search")},
	} {
		t.Run(tt.rule+" of "+tt.name, func(t *testing.T) {
			t.Parallel()
			l := loaded(t, tt.scenario)
			l.Runbook.Consumers = slices.Clone(l.Runbook.Consumers)
			l.Scenario.Load = slices.Clone(l.Scenario.Load)
			l.Runbook.Rollout.Propagation = 0
			if tt.scenario == "jwt-shared-secret/rollout-in-batches" {
				l.Runbook.Rollout.Propagation = runbook.Duration(20 * time.Minute)
			}
			l.Runbook.Rollout.Lead, l.Runbook.Overlap.Window, l.Runbook.Rollout.Watch = runbook.Duration(25*time.Minute), runbook.Duration(30*time.Minute), runbook.Duration(25*time.Minute)
			tt.prepare(l)
			for seed := range int64(seeds) {
				*tt.field(l) = runbook.Duration(tt.needs)
				r := at(t, l, seed+1)
				for _, b := range r.plan.Limits.Bounds() {
					if b.Rule == tt.rule && b.Validator == tt.validator && (b.Needed != tt.needs || !b.Held) {
						t.Fatalf("the bound: got %s, want %s, and that it just holds", b, tt.needs)
					}
				}
				if harm := tt.harm(r); harm > 0 {
					t.Errorf("seed %d, at the bound: got harm %d, want none", seed+1, harm)
				}
				*tt.field(l) = runbook.Duration(tt.needs - tt.less)
				if tt.harm(at(t, l, seed+1)) == 0 {
					t.Errorf("seed %d, %s below the bound: nobody is harmed", seed+1, tt.less)
				}
			}
		})
	}
}
