package rotation_test

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// TestShownBeforeTheRevoke: an authority of a team's own is shown the old credential once at the end of
// the overlap, unless it has room for one.
func TestShownBeforeTheRevoke(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		attached bool
		keys     int
		want     int
	}{
		"a team's own":                {true, 0, 1},
		"a team's own, with one role": {true, 1, 0},
		"the run's own":               {false, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := planned(t, "gates: observe\non_budget: record\n")
			if tt.attached {
				p.Limits.RuleSources = []plan.RuleSource{{Rule: "availability", From: "the load"}}
			}
			for i, v := range p.Limits.Validators {
				if v.Name == "search" {
					p.Limits.Validators[i].Authority, p.Limits.Validators[i].Keys = true, tt.keys
				}
			}
			r := rehearse(t, p, simulated.Options{})
			r.wantNoError(t)
			shown := 0
			for _, e := range r.events(history.KindProbe) {
				if e.Probe.Purpose != history.Still {
					continue
				}
				if shown++; e.Service != "search" || e.Credential != "k1" || e.Phase != history.Overlap {
					t.Errorf("got %s shown to %s in %s, want k1 to search in the overlap", e.Credential, e.Service, e.Phase)
				}
			}
			if shown != tt.want {
				t.Errorf("it was shown %d times, want %d", shown, tt.want)
			}
		})
	}
}
