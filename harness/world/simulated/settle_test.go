package simulated_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/fault"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
	"github.com/rehearse-dev/rehearse/harness/world/simulated/simulatedtest"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// TestArithmeticCountsAsOneByOne rehearses scenarios with requests that are counted by
// arithmetic, and with each made by itself, for none of which chance ever has anything: cell
// by cell and phase by phase they come to the same.
func TestArithmeticCountsAsOneByOne(t *testing.T) {
	const byItself = 1e-300 // the share of attempts that fail by chance
	for _, name := range []string{
		"jwt-signing-key/stale-cache", "jwt-signing-key/short-overlap", "jwt-signing-key/crashed-consumer", "jwt-signing-key/store-unreachable",
		"api-key/healthy", "api-key/cron-job", "webhook-secret/queued-retries",
	} {
		t.Run(name, func(t *testing.T) {
			l, err := scenario.Load(scenarios.FS, scenarios.File(name), scenario.WithFaults(fault.Names()...))
			if err != nil {
				t.Fatal(err)
			}
			p, err := plan.Build(l, plan.Options{Simulated: true, Gates: scenario.Off, OnBudget: scenario.BudgetRecord})
			if err != nil {
				t.Fatal(err)
			}
			wide := simulatedtest.Rehearse(t, p, simulated.Options{}).History
			at := simulatedtest.Rehearse(t, p, simulated.Options{Fine: true}).History
			each := simulatedtest.Rehearse(t, p, simulated.Options{Failing: byItself, Fine: true}).History
			a, b := history.ViewOf(at), history.ViewOf(each)
			if !maps.Equal(a.PhaseStart, b.PhaseStart) {
				t.Fatalf("phases: got %v and %v, want the same", a.PhaseStart, b.PhaseStart)
			}
			if !slices.Equal(a.Keys(), b.Keys()) {
				t.Fatalf("cells: got %v and %v, want the same", a.Keys(), b.Keys())
			}
			starts := append(slices.Sorted(maps.Values(a.PhaseStart)), a.Now+1)
			for _, key := range a.Keys() {
				for i := range starts[1:] {
					got, want := a.Sum(key, starts[i], starts[i+1]), b.Sum(key, starts[i], starts[i+1])
					if off := got.Attempts - want.Attempts; off < -2 || off > 2 || got.AuthFailures != want.AuthFailures || got.Unavailable != want.Unavailable || got.Retries != want.Retries {
						t.Errorf("%v from %s on: got %d attempts, %d refused, %d unavailable, %d retries, want %d, %d, %d, %d", key, starts[i].Wall(),
							got.Attempts, got.AuthFailures, got.Unavailable, got.Retries, want.Attempts, want.AuthFailures, want.Unavailable, want.Retries)
					}
					if got.FirstFailure != want.FirstFailure || got.LastFailure != want.LastFailure || !maps.Equal(got.FailedSessions, want.FailedSessions) {
						t.Errorf("%v from %s on: failures from %s to %s by %v, want %s to %s by %v", key, starts[i].Wall(),
							got.FirstFailure.Wall(), got.LastFailure.Wall(), got.FailedSessions, want.FirstFailure.Wall(), want.LastFailure.Wall(), want.FailedSessions)
					}
				}
			}
			want := rules.Judge(each, p.Limits)
			for _, h := range []*history.History{wide, at} {
				if got := rules.Judge(h, p.Limits); got.Verdict != want.Verdict || got.Why != want.Why || got.Totals != want.Totals {
					t.Errorf("verdict: got %s with %+v (%s), want %s with %+v (%s)", got.Verdict, got.Totals, got.Why, want.Verdict, want.Totals, want.Why)
				}
			}
		})
	}
}
