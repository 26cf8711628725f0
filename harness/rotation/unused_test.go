package rotation

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestGateBeforeTheRevokeWantsTheOldOneTaken: an old credential that somebody else withdrew in the overlap
// was not revoked by this rotation, and nobody need have noticed.
func TestGateBeforeTheRevokeWantsTheOldOneTaken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		outcome   history.Outcome
		authority bool
		want      bool
	}{
		"refused":                     {history.AuthFailure, true, true},
		"taken":                       {history.OK, true, false},
		"no answer":                   {history.Unavailable, true, false},
		"not shown":                   {history.HarnessError, true, false},
		"refused by one with no room": {history.AuthFailure, false, false},
	} {
		view := history.NewView()
		view.Apply(history.Event{At: 1, Kind: history.KindProbe, Service: "payments", Credential: Old, Probe: &history.Probe{Purpose: history.Still, Outcome: tt.outcome, Status: "401"}})
		l := Look{View: view, Now: 2, Limits: plan.Limits{Speed: 1, Validators: []plan.Validator{{Name: "payments", Authority: tt.authority}}}}
		got := l.withdrawnBefore()
		if (len(got) == 1) != tt.want || tt.want && (got[0].consumer != "payments" || !strings.Contains(got[0].why, "refuses k1 (401) before the revoke")) {
			t.Errorf("%s: got %+v, want a refusal: %v", name, got, tt.want)
		}
	}
}
