package rotation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// did is what the operator did, as the history has it.
func (r *rehearsal) did() []string {
	var did []string
	for _, e := range r.events(history.KindOperator) {
		did = append(did, e.Detail)
	}
	return did
}

// TestHolds has a person who takes their time before each phase. A hold makes
// a stretch longer and never shorter, so that a healthy rotation stays healthy.
func TestHolds(t *testing.T) {
	t.Parallel()
	holds := map[history.Phase]time.Duration{}
	for i, phase := range history.Phases() {
		holds[phase] = time.Duration(i+1) * time.Second
	}
	r := rehearse(t, planned(t, ""), simulated.Options{Holds: holds})
	r.wantNoError(t)
	r.wantEnd(t, history.EndedComplete, forth)
	r.wantFailures(t)
	wantEqual(t, "gates that did not hold", r.refused(), nil)
	wantEqual(t, "what the operator did", r.did(), []string{
		"went on to baseline, after 1s on hold", "went on to accept, after 2s on hold", "went on to verify, after 3s on hold",
		"went on to emit, after 4s on hold", "went on to overlap, after 5s on hold",
		"approved the revoke of k1, after 6s on hold", "went on to watch, after 7s on hold",
	})
}

// TestNobodyWasAsked has no word of an operator where none takes any time.
func TestNobodyWasAsked(t *testing.T) {
	t.Parallel()
	wantEqual(t, "what the operator did", rehearse(t, planned(t, ""), simulated.Options{}).did(), nil)
}

// TestHoldBeforeAccept lets the moment pass that the baseline waited for: the
// new credential is accepted at the next one like it all the same.
func TestHoldBeforeAccept(t *testing.T) {
	t.Parallel()
	for _, hold := range []time.Duration{time.Second, 4 * time.Second, 7500 * time.Millisecond} {
		r := rehearse(t, planned(t, ""), simulated.Options{Holds: map[history.Phase]time.Duration{history.Accept: hold}})
		r.wantNoError(t)
		if late := r.learnedAfter("search"); late < 9900*time.Millisecond {
			t.Errorf("held for %s: search learned %s after the accept, want it as late as it can, after 10s", hold, late)
		}
	}
}

// TestBudgetIsLookedAtOnHold holds a rotation while its emitters have switched
// too early: it is turned back without waiting for the person.
func TestBudgetIsLookedAtOnHold(t *testing.T) {
	t.Parallel()
	p := planned(t, staleCache+"gates: \"off\"\non_budget: rollback\n")
	r := rehearse(t, p, simulated.Options{Holds: map[history.Phase]time.Duration{history.Overlap: time.Hour}})
	r.wantNoError(t)
	r.wantEnd(t, history.EndedRolledBack, backEmit)
	wantEqual(t, "decisions", r.decisions(), []string{"rollback: budget"})
	if slices.Contains(r.phases(), history.Overlap) {
		t.Errorf("phases: got %v, want no overlap", r.phases())
	}
	decided := r.events(history.KindDecision)[0]
	first := r.failures()["search k2"].FirstFailure
	if took, most := (decided.At - first).Duration(), 500*time.Millisecond+p.Wall(p.Limits.BudgetFor); took > most {
		t.Errorf("decided %s after the first failure, want at most %s", took, most)
	}
}
