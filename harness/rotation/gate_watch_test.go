package rotation

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestGateAfterTheWatchBlamesNobodyWhoWasNotShownTheOldOne: that no token outlived the
// revoke is no validator's fault, and is said.
func TestGateAfterTheWatchBlamesNobodyWhoWasNotShownTheOldOne(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		outcome history.Outcome
		status  string
		refused bool
		says    string
	}{
		"not shown":  {history.HarnessError, "no unexpired token of it", false, "whether each refuses k1 could not be asked: no unexpired token of it"},
		"no answer":  {history.Unavailable, "timeout", true, "every validator"},
		"takes it":   {history.OK, "200", true, "every validator"},
		"refuses it": {history.AuthFailure, "401", false, "every validator refuses k1"},
	} {
		view := history.NewView()
		for _, p := range []history.Probe{{Purpose: history.OldAfter, Outcome: tt.outcome, Status: tt.status}, {Purpose: history.NewAfter, Outcome: history.OK}} {
			credential := Old
			if p.Purpose == history.NewAfter {
				credential = New
			}
			view.Apply(history.Event{Kind: history.KindProbe, Service: "shop", Credential: credential, Probe: &p})
		}
		l := Look{Limits: plan.Limits{Speed: 1, Validators: []plan.Validator{{Name: "shop", OnPage: true, Authority: true}}}, View: view, OnPage: []string{"shop"}}
		holds, refusals := l.watch()
		if (len(refusals) > 0) != tt.refused || !strings.Contains(holds, tt.says) {
			t.Errorf("%s: got %q, refusals %v; want refused %t, and %q", name, holds, refusals, tt.refused, tt.says)
		}
	}
}
