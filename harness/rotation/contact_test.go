package rotation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

func TestStoreLost(t *testing.T) {
	t.Parallel()
	down := func(phase history.Phase, d time.Duration) simulated.Options {
		return simulated.Options{Down: map[string]simulated.Span{"store": {From: simulated.Moment{Phase: phase, After: time.Second}, For: d}}}
	}
	for _, tt := range []struct {
		name, patch string
		options     simulated.Options
		how, steps  string
		decisions   []string
	}{
		{"for a moment", "", down(history.Overlap, 1500*time.Millisecond), history.EndedComplete, forth, nil},
		{"in the overlap", "", down(history.Overlap, 5*time.Second), history.EndedRolledBack, backEmit, []string{"rollback: store"}},
		{"in the lead", "", down(history.Verify, 5*time.Second), history.EndedRolledBack, backAccept, []string{"rollback: store"}},
		{"in the watch", "", down(history.Watch, 5*time.Second), history.EndedRolledBack, backRevoke, []string{"rollback: store"}},
		{"before anything is changed", "baseline: 10m\n", down(history.Baseline, 4*time.Second), history.EndedStopped, "", []string{"stop: store"}},
		{"and gates only observe", "gates: observe\n", down(history.Overlap, 4*time.Second), history.EndedComplete, forth, []string{"record: store"}},
		{"and gates are off", "gates: \"off\"\n", down(history.Overlap, 4*time.Second), history.EndedComplete, forth, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := rehearse(t, planned(t, tt.patch), tt.options)
			r.wantNoError(t)
			r.wantEnd(t, tt.how, tt.steps)
			wantEqual(t, "decisions", r.decisions(), tt.decisions)
			if len(tt.decisions) == 0 {
				return
			}
			const allowed = 2 * time.Second // the page's propagation is less at this speed
			d, at := r.decided(t)
			wantSoon(t, d.Since+history.Offset(allowed), at)
			if !strings.Contains(d.Why, "nothing was heard of the store") {
				t.Errorf("why: got %q, want what happened", d.Why)
			}
		})
	}
}

// TestStoreStaysLost has a way back that cannot be taken: it says so.
func TestStoreStaysLost(t *testing.T) {
	t.Parallel()
	r := rehearse(t, planned(t, ""), simulated.Options{
		Down: map[string]simulated.Span{"store": {From: simulated.Moment{Phase: history.Overlap}}},
	})
	if r.err == nil || !strings.Contains(r.err.Error(), "wait 30s for the store to answer") {
		t.Errorf("error: got %v, want that the store was waited for", r.err)
	}
	r.wantEnd(t, history.EndedRolledBack, "accept k2, emit k2")
}
