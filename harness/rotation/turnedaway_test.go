package rotation

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestGateBeforeTheRevokeWantsTheNewOneTaken: that nobody uses the old credential
// any more says nothing where the new one is refused.
func TestGateBeforeTheRevokeWantsTheNewOneTaken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		ok, refused int64
		authority   bool
		want        bool
	}{
		"refused each time":          {0, 9, true, true},
		"taken once":                 {1, 8, true, false},
		"taken":                      {9, 0, true, false},
		"never presented":            {0, 0, true, false},
		"by one that learns by time": {0, 9, false, false},
	} {
		view := history.NewView()
		counts := &history.Counts{
			Source: history.FromAuthority, Presenter: "billing", Validator: "payments", Credential: New,
			Width: history.Offset(time.Second), Attempts: tt.ok + tt.refused, OK: tt.ok, AuthFailures: tt.refused,
		}
		at := history.Offset(10 * time.Second)
		view.Apply(history.Event{At: at, Kind: history.KindCounts, Credential: New, Counts: counts})
		l := Look{View: view, Now: at + history.Offset(time.Second), Limits: plan.Limits{
			Speed: 1, JudgedAt: history.FromAuthority, Validators: []plan.Validator{{Name: "payments", Authority: tt.authority}},
		}}
		got := l.turnedAway()
		if (len(got) == 1) != tt.want || tt.want && (got[0].consumer != "billing" || !strings.Contains(got[0].why, "refused it 9 times")) {
			t.Errorf("%s: got %+v, want a refusal: %v", name, got, tt.want)
		}
	}
}
