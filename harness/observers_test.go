package harness

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// TestRestsAt: a gateway that may be a cache is left alone while somebody could
// learn or forget through it, and one whose every look is seen at its issuer never.
func TestRestsAt(t *testing.T) {
	for _, tt := range []struct {
		name    string
		fetches int64 // for ten looks in the baseline
		rests   map[history.Phase]bool
	}{
		{"kept what it had", 1, map[history.Phase]bool{history.Accept: true, history.Verify: true, history.Emit: true, history.Revoke: true, history.Watch: true}},
		{"nobody tells", 0, map[history.Phase]bool{history.Accept: true, history.Verify: true, history.Emit: true, history.Revoke: true, history.Watch: true}},
		{"asked each time", 10, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := history.NewView()
			rests := restsAt("edge", func(f func(*history.View)) { f(v) })
			v.Phase = history.Baseline
			for range 10 {
				if rests() {
					t.Fatal("it rests in the baseline, want that it is looked at")
				}
			}
			v.Fetches["edge"] = tt.fetches
			for _, phase := range []history.Phase{history.Accept, history.Verify, history.Emit, history.Overlap, history.Revoke, history.Watch} {
				v.Phase = phase
				got := rests()
				if !got {
					v.Fetches["edge"] += min(1, tt.fetches/10)
				}
				if got != tt.rests[phase] {
					t.Errorf("in %s it rests: %v, want %v", phase, got, tt.rests[phase])
				}
			}
		})
	}
}
