package rotation

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestGateSaysOfWhomOnlyTheFetchWasSeen: a gate does not tick what nobody looked at.
func TestGateSaysOfWhomOnlyTheFetchWasSeen(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		what string
		want bool
	}{"its fetch": {history.OfFetch, true}, "its own log": {"", false}} {
		view := history.NewView()
		view.Apply(history.Event{Kind: history.KindLearned, Service: "shop", Credential: New, What: tt.what})
		l := Look{Limits: plan.Limits{Speed: 1, Lead: time.Hour, Validators: []plan.Validator{{Name: "shop", OnPage: true}}}, View: view, OnPage: []string{"shop"}}
		holds, refusals := l.verify()
		if len(refusals) > 0 {
			t.Errorf("%s: got refusals %v, want none", name, refusals)
		}
		if got := strings.Contains(holds, "of shop only the fetch was seen, not that it takes k2"); got != tt.want {
			t.Errorf("%s: got %q", name, holds)
		}
	}
}
