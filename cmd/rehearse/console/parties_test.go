package console

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// told is what a console with some limits says of events, which come a second
// apart unless they say when.
func told(t *testing.T, l plan.Limits, o Options, events ...history.Event) string {
	t.Helper()
	var b strings.Builder
	c := New(&b, l, o)
	for i, e := range events {
		if e.At == 0 {
			e.At = at(int64(1000 * (i + 1)))
		}
		c.Event(e)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestOldCredentialThatIsStillTaken says until when that may be so: right after
// a revoke it is no trouble.
func TestOldCredentialThatIsStillTaken(t *testing.T) {
	probe := func(validator string) history.Event {
		return history.Event{Kind: history.KindProbe, Service: validator, Credential: "k1",
			Probe: &history.Probe{Purpose: history.OldAfter, Outcome: history.OK, Status: "200"}}
	}
	l := plan.Limits{Speed: 60, Propagation: 30 * time.Second, Validators: []plan.Validator{
		{Name: "search", Forgets: 15 * time.Minute}, {Name: "checkout", Forgets: runbook.Forever},
	}}
	tests := []struct{ validator, want string }{
		{"search", "· proof of the revoke: search still takes k1 (200), and must refuse it within 15m30s (15.5s)"},
		{"checkout", "· proof of the revoke: checkout still takes k1 (200), and nothing is known to make it refuse it"},
		{"elsewhere", "· proof of the revoke: elsewhere still takes k1 (200), which must end"},
	}
	for _, tt := range tests {
		if got := told(t, l, Options{}, probe(tt.validator)); !strings.Contains(got, tt.want) {
			t.Errorf("got %q, want %q in it", got, tt.want)
		}
	}
}

// TestLearningOnAMiss tells that a validator which fetches when it meets the new
// credential was not slow: nobody had shown it before.
func TestLearningOnAMiss(t *testing.T) {
	l := plan.Limits{Speed: 60, Validators: []plan.Validator{{Name: "checkout", OnMiss: true}, {Name: "search"}}}
	before := []history.Event{
		{Kind: history.KindCredential, Credential: "k1"}, {Kind: history.KindCredential, Credential: "k2"},
		{Kind: history.KindPhase, Phase: history.Verify}, {Kind: history.KindPublished, Service: "auth", Credentials: []string{"k1", "k2"}},
	}
	for validator, want := range map[string]string{
		"checkout": "checkout takes k2, 1m (1s) after it was published, on first use\n",
		"search":   "search takes k2, 1m (1s) after it was published\n",
	} {
		got := told(t, l, Options{}, append(before, history.Event{Kind: history.KindLearned, Service: validator, Credential: "k2"})...)
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}
