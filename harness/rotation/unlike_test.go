package rotation

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestGateBlamesNobodyForWhatItRefusesOfTheHarnessAlone: what the harness makes may be nothing like what
// clients present, and then a refusal of it does not tell what a validator takes.
func TestGateBlamesNobodyForWhatItRefusesOfTheHarnessAlone(t *testing.T) {
	t.Parallel()
	const kid = "LCOaLm-tE5PCs5z9vrEuIJm3pF06UHxca0F8lnvupJk" // a thumbprint, which begins with 2c239a2e
	for name, tt := range map[string]struct {
		print     string
		presented string
		attached  bool
		refused   history.Outcome
		consumer  string
		untold    bool
	}{
		"the issuer's key is its own":                  {"933701d4", Old, false, history.AuthFailure, "auth", true},
		"and it runs already, and makes what is shown": {"933701d4", Old, true, history.AuthFailure, "api", false},
		"clients present what names no key":            {"2c239a2e", "", false, history.AuthFailure, "", true},
		"clients present the like":                     {"2c239a2e", Old, false, history.AuthFailure, "api", false},
		"no answer":                                    {"933701d4", "", false, history.Unavailable, "api", false},
	} {
		view := history.NewView()
		view.Apply(history.Event{Kind: history.KindStep, Step: "accept", Credential: New})
		view.Apply(history.Event{Kind: history.KindLooked, Service: "auth", Set: &history.KeySet{
			Status: history.StatusSet, Keys: []history.Key{{Kid: kid, Credential: New, Print: tt.print}},
		}})
		view.Apply(history.Event{Kind: history.KindCounts, Credential: tt.presented, Counts: &history.Counts{
			Source: history.FromLoad, Presenter: "web", Validator: "api", Credential: tt.presented, Width: history.Offset(time.Second), Attempts: 9, OK: 9,
		}})
		for _, purpose := range []history.Purpose{history.Canary, history.NewAfter} {
			view.Apply(history.Event{Kind: history.KindProbe, Service: "api", Credential: New, Probe: &history.Probe{Purpose: purpose, Outcome: tt.refused, Status: "401"}})
		}
		view.Apply(history.Event{Kind: history.KindProbe, Service: "api", Credential: Old, Probe: &history.Probe{Purpose: history.OldAfter, Outcome: history.AuthFailure, Status: "401"}})
		limits := plan.Limits{
			Speed: 1, JudgedAt: history.FromLoad, Lead: time.Hour, Watch: time.Hour,
			Validators: []plan.Validator{{Name: "api", OnPage: true, From: "auth"}},
			Emitters:   []plan.Emitter{{Name: "auth", OnPage: true}},
			Clients:    []plan.Client{{Name: "web", To: "api", From: "auth"}},
		}
		if tt.attached {
			limits.RuleSources = []plan.RuleSource{{Rule: "availability", From: "the load"}}
		}
		l := Look{Limits: limits, View: view, Now: history.Offset(time.Minute), OnPage: []string{"api", "auth"}}
		for phase, gate := range map[history.Phase]func() (string, []refusal){history.Verify: l.verify, history.Watch: l.watch} {
			_, got := gate()
			if len(got) != 1 || got[0].consumer != tt.consumer || got[0].untold != tt.untold || tt.untold && !strings.Contains(got[0].why, "it cannot be told whether api takes k2") {
				t.Errorf("%s, gate of %s: got %+v, want one refusal that names %q, untold %t", name, phase, got, tt.consumer, tt.untold)
			}
		}
	}
}
