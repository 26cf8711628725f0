package simulated

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// rolledOut is the plan of a built-in scenario in which a service is changed.
func rolledOut(t *testing.T, name, service string, change func(*scenario.Service)) *plan.Plan {
	t.Helper()
	loaded, err := scenario.Load(scenarios.FS, scenarios.File(name))
	if err != nil {
		t.Fatal(err)
	}
	s := loaded.Scenario.Services[service]
	change(&s)
	loaded.Scenario.Services[service] = s
	p, err := plan.Build(loaded, plan.Options{Simulated: true})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// shareOf is the share of attempts in a stretch of which a count says something.
func shareOf(h *history.History, presenter, validator, credential string, from, to time.Duration, of func(*history.Counts) int64) (share float64, attempts int64) {
	var some int64
	for _, e := range h.Events {
		c := e.Counts
		if e.Kind == history.KindCounts && c.Presenter == presenter && c.Validator == validator && (credential == "" || c.Credential == credential) && e.At >= history.Offset(from) && e.At < history.Offset(to) {
			attempts, some = attempts+c.Attempts, some+of(c)
		}
	}
	return float64(some) / float64(max(1, attempts)), attempts
}

// TestValidatorsRolledOutInBatches: of the members of a fleet those refuse the new secret to which it
// has not been brought yet, and the fleet has learned when the last has it.
func TestValidatorsRolledOutInBatches(t *testing.T) {
	const accept, emit = 5 * time.Second, 6 * time.Second
	refused := func(c *history.Counts) int64 { return c.AuthFailures }
	for _, tt := range []struct {
		name, scenario, service, presenter string
		change                             func(*scenario.Service)
		takes                              time.Duration // wall
	}{
		{"checkers that are started anew", "jwt-shared-secret/rollout-in-batches", "search", "app", func(*scenario.Service) {}, time.Minute},
		{"checkers whose files are written", "jwt-shared-secret/rollout-in-batches", "search", "app", func(s *scenario.Service) {
			s.Distribution, s.Refresh = runbook.File, runbook.Duration(10*time.Second)
		}, time.Minute},
		{"as many checkers as batches", "jwt-shared-secret/rollout-in-batches", "search", "app", func(s *scenario.Service) { s.Count, s.Batches = 0, 50 }, time.Minute},
		{"receivers whose volumes are written", "webhook-secret/secret-volume", "orders", "payments", func(s *scenario.Service) {
			s.Count, s.Rollout, s.Delay, s.Refresh = 60, runbook.Duration(25*time.Minute), runbook.Duration(15*time.Second), runbook.Duration(15*time.Second)
		}, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := rolledOut(t, tt.scenario, tt.service, tt.change)
			h := live(t, p, Options{Fine: true}, 80*time.Second, act{accept, keyring.Accept, "k2"}, act{emit, keyring.Emit, "k2"})
			learned := of(h, history.KindLearned, tt.service)
			if last := learned[len(learned)-1]; last.Credential != "k2" || last.At.Duration() < accept+tt.takes || last.At.Duration() > accept+tt.takes+2*time.Second {
				t.Errorf("learned last: got %s at %s, want k2 at %s", last.Credential, last.At.Duration(), accept+tt.takes)
			}
			for tenth := time.Duration(3); tenth < 10; tenth++ { // by then all tokens are of the new one
				got, attempts := shareOf(h, tt.presenter, tt.service, "k2", accept+tt.takes*tenth/10, accept+tt.takes*(tenth+1)/10, refused)
				if want := 1 - (float64(tenth)+0.5)/10; attempts < 30 || got < want-0.2 || got > want+0.2 {
					t.Errorf("in tenth %d: got %.0f %% of %d refused, want %.0f %%", tenth+1, 100*got, attempts, 100*want)
				}
			}
			if got, _ := shareOf(h, tt.presenter, tt.service, "k2", accept+tt.takes+2*time.Second, time.Hour, refused); got > 0 {
				t.Errorf("when all have it: got %.0f %% refused, want none", 100*got)
			}
		})
	}
}

// TestEmittersRolledOutInBatches: each member presents what it was started with, and the emitter has
// switched when the last has.
func TestEmittersRolledOutInBatches(t *testing.T) {
	const emit, takes = 5 * time.Second, 20 * time.Second
	p := rolledOut(t, "api-key/rollout-in-batches", "billing", func(*scenario.Service) {})
	h := live(t, p, Options{Fine: true}, 40*time.Second, act{time.Second, keyring.Accept, "k2"}, act{emit, keyring.Emit, "k2"})
	switched := of(h, history.KindEmitting, "billing")
	if last := switched[len(switched)-1]; len(switched) != 2 || last.Credential != "k2" || last.At.Duration() != emit+takes {
		t.Errorf("switched: got %+v, want once, to k2 after %s", switched, takes)
	}
	for tenth := range time.Duration(10) {
		from, to := emit+takes*tenth/10, emit+takes*(tenth+1)/10
		got, attempts := shareOf(h, "billing", "payments", "", from, to, func(c *history.Counts) int64 {
			if c.Credential == "k1" {
				return c.Attempts
			}
			return 0
		})
		if want := 1 - float64(tenth)/10; attempts < 100 || got < want-0.15 || got > want+0.15 {
			t.Errorf("in tenth %d: got %.0f %% of %d with k1, want %.0f %%", tenth+1, 100*got, attempts, 100*want)
		}
	}
}

// TestIssuersRolledOutInBatches: a token is of the member that it was fetched from, and none is of the
// old secret when the last member has switched and its tokens have been renewed.
func TestIssuersRolledOutInBatches(t *testing.T) {
	const emit, takes = 5 * time.Second, 30 * time.Second
	p := rolledOut(t, "jwt-shared-secret/rollout-in-batches", "auth", func(s *scenario.Service) { s.Rollout, s.Batches = runbook.Duration(10*time.Minute), 5 })
	h := live(t, p, Options{Fine: true}, 100*time.Second, act{emit, keyring.Accept, "k2"}, act{emit + takes, keyring.Emit, "k2"})
	old := func(c *history.Counts) int64 {
		if c.Credential == "k1" {
			return c.Attempts
		}
		return 0
	}
	life := p.Wall(p.Limits.LongestLife)
	for _, tt := range []struct {
		when        string
		from, to    time.Duration
		least, most float64
	}{
		{"before", 0, emit + takes, 1, 1},
		{"half-way", emit + takes + takes/2, emit + takes + takes/2 + life/2, 0.2, 0.8},
		{"afterwards", emit + 2*takes + life, time.Hour, 0, 0},
	} {
		if got, attempts := shareOf(h, "web", "checkout", "", tt.from, tt.to, old); attempts == 0 || got < tt.least || got > tt.most {
			t.Errorf("%s: got %.0f %% of %d with k1, want %.0f to %.0f %%", tt.when, 100*got, attempts, 100*tt.least, 100*tt.most)
		}
	}
}
