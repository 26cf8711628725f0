package rotation_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// visiting has somebody present a credential once when a phase begins.
type visiting struct {
	world.Faults
	evidence   world.History
	presenter  string
	credential string
	phase      history.Phase
}

func (v visiting) Begin(ctx context.Context, phase history.Phase) {
	v.Faults.Begin(ctx, phase)
	if phase != v.phase {
		return
	}
	v.evidence.Record(history.Event{At: v.evidence.Offset(), Kind: history.KindCounts, Credential: v.credential, Counts: &history.Counts{
		Source: history.FromAuthority, Presenter: v.presenter, Validator: "payments", Credential: v.credential,
		Width: history.Offset(100 * time.Millisecond), Attempts: 1, OK: 1, Statuses: map[string]int64{"201": 1},
	}})
}

// TestStrangers names who presented the old key after the new one was emitted
// and is on no page, before it is revoked: also one who came once, long ago.
func TestStrangers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, presenter, credential string
		phase                       history.Phase
		refused                     []string
	}{
		{"a job that came once in the overlap", "nightly", "k1", history.Overlap, []string{"overlap nightly"}},
		{"before the new one was emitted", "nightly", "k1", history.Verify, nil},
		{"with the new one", "nightly", "k2", history.Overlap, nil},
		{"the consumer on the page", "billing", "k1", history.Overlap, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := rehearseIn(t, plannedOf(t, keyPage, keyBase, ""), simulated.Options{}, func(w *world.World, _ context.CancelFunc) {
				w.Faults = visiting{w.Faults, w.History, tt.presenter, tt.credential, tt.phase}
			})
			r.wantNoError(t)
			wantEqual(t, "gates that did not hold", r.refused(), tt.refused)
			if _, revoked := r.view.Steps["revoke"]["k1"]; revoked != (len(tt.refused) == 0) {
				t.Errorf("revoked: got %t, want it only where nobody was named", revoked)
			}
			if stopped := slices.Contains(r.decisions(), "rollback: gate"); stopped != (len(tt.refused) > 0) {
				t.Errorf("decisions: got %v, want the gate's where somebody was named", r.decisions())
			}
		})
	}
}
