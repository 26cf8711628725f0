package rules_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// TestNegativeControls breaks the measurement itself. Whatever a broken
// rehearsal comes to, it is no pass.
func TestNegativeControls(t *testing.T) {
	t.Parallel()
	watch := simulated.Moment{Phase: history.Watch, After: time.Second}
	for name, validator := range map[string]string{
		scenarios.Default: "search", "api-key/healthy": "payments", "webhook-secret/healthy-github": "orders",
	} {
		down := func(from simulated.Moment) map[string]simulated.Span {
			return map[string]simulated.Span{validator: {From: from}}
		}
		for _, tt := range []struct {
			name    string
			options simulated.Options
		}{
			{"almost no traffic", simulated.Options{RateFactor: 0.001}},
			{"a tenth of the traffic", simulated.Options{RateFactor: 0.1}},
			{"a baseline that fails already", simulated.Options{Failing: 0.05}},
			{"load that dies in the middle", simulated.Options{LoadDiesAt: &simulated.Moment{Phase: history.Overlap}}},
			{"load that dies late", simulated.Options{LoadDiesAt: &watch}},
			{"a consumer that never answers", simulated.Options{Down: down(simulated.Moment{})}},
			{"a consumer that answers 500 throughout", simulated.Options{Erring: map[string]bool{validator: true}}},
			{"a consumer that gives none in the end", simulated.Options{Down: down(watch)}},
			{"a counter that is off", simulated.Options{Totals: func(t *history.Totals) { t.Served-- }}},
			{"attempts that were lost", simulated.Options{Totals: func(t *history.Totals) { t.Sent++ }}},
		} {
			t.Run(name+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				for seed := range int64(3) {
					o := tt.options
					o.Seed = seed + 1
					if r := rehearse(t, name, o); r.verdict.Verdict == judge.Pass {
						t.Errorf("seed %d: got pass (%s), want none", o.Seed, r.verdict.Why)
					}
				}
			})
		}
	}
}

// TestNoHistoryPassesShuffled judges histories whose events were mixed up.
func TestNoHistoryPassesShuffled(t *testing.T) {
	t.Parallel()
	r := rehearse(t, scenarios.Default, simulated.Options{})
	if r.verdict.Verdict != judge.Pass {
		t.Fatalf("verdict before: got %s (%s), want pass", r.verdict.Verdict, r.verdict.Why)
	}
	for seed := range uint64(10) {
		events := slices.Clone(r.history.Events)
		random := rand.New(rand.NewPCG(seed, 0))
		rest := events[seed%2:] // with the plan, and without it
		random.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
		if v := rules.Judge(&history.History{Events: events}, r.limits); v.Verdict == judge.Pass {
			t.Errorf("seed %d: got pass (%s), want none", seed, v.Why)
		}
	}
}

// TestEveryPartIsNeeded takes one kind of event away from a healthy history.
// Without what proves it, nothing passes.
func TestEveryPartIsNeeded(t *testing.T) {
	t.Parallel()
	r := rehearse(t, scenarios.Default, simulated.Options{})
	for _, kind := range []history.Kind{
		history.KindPlan, history.KindPhase, history.KindCredential, history.KindStep, history.KindGate, history.KindProbe,
		history.KindCounts, history.KindTotals, history.KindLeaks, history.KindEnd,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			left := slices.DeleteFunc(slices.Clone(r.history.Events), func(e history.Event) bool { return e.Kind == kind })
			if len(left) == len(r.history.Events) {
				t.Fatal("the history has none of these")
			}
			if v := rules.Judge(&history.History{Events: left}, r.limits); v.Verdict == judge.Pass {
				t.Errorf("verdict: got pass (%s), want none", v.Why)
			}
		})
	}
}

// TestCutOff judges what a run leaves that is killed at any moment.
func TestCutOff(t *testing.T) {
	t.Parallel()
	r := rehearse(t, scenarios.Default, simulated.Options{})
	n := len(r.history.Events)
	for i := range 20 {
		cut := 1 + i*(n-2)/20
		t.Run(fmt.Sprintf("after %d of %d events", cut, n), func(t *testing.T) {
			t.Parallel()
			if v := rules.Judge(&history.History{Events: r.history.Events[:cut]}, r.limits); v.Verdict == judge.Pass {
				t.Errorf("verdict: got pass (%s), want none", v.Why)
			}
		})
	}
}
