package rotation_test

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

func TestBudgetRollsBack(t *testing.T) {
	t.Parallel()
	for _, seed := range []int64{1, 2, 3, 4, 5} {
		p := planned(t, staleCache+"gates: \"off\"\non_budget: rollback\n")
		r := rehearse(t, p, simulated.Options{Seed: seed})
		r.wantNoError(t)
		r.wantEnd(t, history.EndedRolledBack, backEmit)
		r.wantFailures(t, "search k2")
		if got := len(r.events(history.KindGate)); got != 0 {
			t.Errorf("seed %d: gates that are off: got %d, want none", seed, got)
		}
		decisions := r.events(history.KindDecision)
		if len(decisions) != 1 {
			t.Fatalf("seed %d: decisions: got %v, want one", seed, r.decisions())
		}
		d := decisions[0].Decision
		if d.Action != history.ActionRollBack || d.Trigger != history.TriggerBudget {
			t.Errorf("seed %d: decision: got %s by %s, want rollback by budget", seed, d.Action, d.Trigger)
		}
		first := r.failures()["search k2"].FirstFailure
		if d.Since != first {
			t.Errorf("seed %d: since: got %s, want the first failure at %s", seed, d.Since.Wall(), first.Wall())
		}
		most := 500*time.Millisecond + p.Wall(p.Limits.BudgetFor)
		if took := (decisions[0].At - first).Duration(); took > most {
			t.Errorf("seed %d: decided %s after the first failure, want at most %s", seed, took, most)
		}
		if last := r.failures()["search k2"].LastFailure; last > r.view.Steps["withdraw"]["k2"] {
			t.Errorf("seed %d: last failure at %s, want none after the rollback at %s", seed, last.Wall(), r.view.Steps["withdraw"]["k2"].Wall())
		}
	}
}

func TestBudgetOnlyRecords(t *testing.T) {
	t.Parallel()
	r := rehearse(t, planned(t, staleCache+"gates: \"off\"\non_budget: record\n"), simulated.Options{})
	r.wantNoError(t)
	r.wantEnd(t, history.EndedComplete, forth)
	wantEqual(t, "decisions", r.decisions(), []string{"record: budget"})
}

// TestBudgetIsNotSpent has failures that must not turn a rotation back.
func TestBudgetIsNotSpent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		options simulated.Options
	}{
		{"failures below the ratio", simulated.Options{Failing: 0.0005}},
		{"a service that is down", simulated.Options{Down: map[string]simulated.Span{
			"search": {From: simulated.Moment{Phase: history.Overlap, After: time.Second}, For: 2 * time.Second},
		}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := rehearse(t, planned(t, "gates: \"off\"\non_budget: rollback\n"), tt.options)
			r.wantNoError(t)
			r.wantEnd(t, history.EndedComplete, forth)
			wantEqual(t, "decisions", r.decisions(), nil)
		})
	}
}
