package rotation_test

import (
	"context"
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// doubting are probes that can show what tells how an acceptance is meant.
type doubting struct{ world.Probes }

func (doubting) Doubts() []history.Purpose { return []history.Purpose{history.MadeUp, history.Anew} }

func (d doubting) Present(ctx context.Context, validator, credential string, purpose history.Purpose) (history.Probe, error) {
	if purpose == history.MadeUp || purpose == history.Anew {
		return history.Probe{Purpose: purpose, Outcome: history.AuthFailure, Status: "401"}, nil
	}
	return d.Probes.Present(ctx, validator, credential, purpose)
}

// TestDoubts: who took the old credential to the end of the watch is asked what that
// means, once each, and nobody who refused it is.
func TestDoubts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		search simulated.Behaviour
		asked  []history.Purpose
	}{
		{"it keeps the old one", keeps, []history.Purpose{history.MadeUp, history.Anew}},
		{"it forgets the old one", forgets, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := rehearseIn(t, planned(t, "gates: observe\non_budget: record\n"), simulated.Options{Replicas: map[string][]simulated.Behaviour{"search": {tt.search}}},
				func(w *world.World, _ context.CancelFunc) { w.Probes = doubting{w.Probes} })
			r.wantNoError(t)
			var asked []history.Purpose
			for _, e := range r.events(history.KindProbe) {
				if e.Probe.Purpose == history.MadeUp || e.Probe.Purpose == history.Anew {
					asked = append(asked, e.Probe.Purpose)
					if e.Service != "search" {
						t.Errorf("%s was asked, want search alone", e.Service)
					}
				}
			}
			if !slices.Equal(asked, tt.asked) {
				t.Errorf("asked for %q, want %q", asked, tt.asked)
			}
		})
	}
}
