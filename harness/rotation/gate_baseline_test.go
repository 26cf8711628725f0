package rotation

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestBaselineOfStrangers: what others are refused with that is none of the rotation's
// keeps nobody from beginning; who has the secret does, whoever that is.
func TestBaselineOfStrangers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, presenter, credential string
		held                        bool
	}{
		{"a stranger with a key of its own", "curl", "other", true},
		{"a stranger with the secret", "curl", Old, false},
		{"the consumer with what nobody knows", "billing", "unknown", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			view := history.NewView()
			count := func(presenter, credential string, ok, refused int64) {
				view.Apply(history.Event{At: 1, Kind: history.KindCounts, Credential: credential, Counts: &history.Counts{
					Source: history.FromAuthority, Presenter: presenter, Validator: "payments", Credential: credential, Width: 1e8,
					Attempts: ok + refused, OK: ok, AuthFailures: refused,
				}})
			}
			count("billing", Old, 50, 0)
			count(tt.presenter, tt.credential, 0, 6)
			l := Look{View: view, Now: 1e9, Limits: plan.Limits{Hop: history.FromAuthority, Speed: 1, Objective: 0.999, Emitters: []plan.Emitter{{Name: "billing", OnPage: true}}}}
			_, refusals := l.baseline()
			if held := len(refusals) == 0; held != tt.held || !held && !strings.Contains(refusals[0].why, "failed before anything was changed") {
				t.Errorf("got %+v, want it to hold: %v", refusals, tt.held)
			}
		})
	}
}
