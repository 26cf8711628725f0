package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// TestClockThatWasSet: what comes after the machine's clock was set is nobody's
// doing, and what came before stays what it was.
func TestClockThatWasSet(t *testing.T) {
	t.Parallel()
	set := func(moment float64) change {
		return add(history.Event{At: at(moment), Kind: history.KindClockSet, Count: 21600, Detail: "the machine's clock was set 21.6s ahead"})
	}
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
		says    string
	}{
		{"healthy", []change{set(30)}, judge.Inconclusive, "cannot tell (auth-failures-flat): the machine's clock was set 21.6s ahead at 30m"},
		{"refused since", []change{set(45), refuse("app", "k2", 45.2, 61, 10)}, judge.Inconclusive, "21.6s ahead at 45m"},
		{"refused before", []change{set(50), refuse("app", "k2", 45, 61, 10)}, judge.Fail, "app was refused"},
		{"down since", []change{set(45), unavailable("app", 45, 61)}, judge.Inconclusive, "21.6s ahead at 45m"},
		{"after the end", []change{set(62)}, judge.Pass, "stayed flat"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			if v.Verdict != tt.want || !strings.Contains(v.Why, tt.says) {
				t.Errorf("got %s, %q, want %s with %q", v.Verdict, v.Why, tt.want, tt.says)
			}
			wantRule(t, v, "leaks", judge.Pass)
			for _, f := range v.Findings {
				if tt.want != judge.Fail && f.Level == judge.Error {
					t.Errorf("got %s, want no error", text(f))
				}
			}
		})
	}
}
