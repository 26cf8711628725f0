package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// uses has app present the new credential from a moment on, as it does later.
func uses(from, to float64) change {
	return func(s *story) {
		s.buckets("app", "k1", from, to, func(_ history.Offset, c *history.Counts) { c.Credential = "k2" })
	}
}

// TestEarlySwitch: who used the new key before the emit is named, and not who need not
// have learned it; where nobody was refused the run held by luck.
func TestEarlySwitch(t *testing.T) {
	t.Parallel()
	wantFound(t, "auth-failures-flat", "app", []found{
		{"refused before the emit", []change{uses(12, 28), refuse("app", "k2", 12, 20, 10)}, judge.CauseEarlySwitch, "auth",
			"auth used it from 12m on, 16m before the step emit: search need not have learned it by then", "not the newest that is published"},
		{"refused after the emit", []change{searchLearns(31), refuse("app", "k2", 28.4, 31, 10)}, judge.CauseStaleCache, "search", "", ""},
		{"used in the moment of the emit", []change{uses(27.5, 28), searchLearns(31), refuse("app", "k2", 28.4, 31, 10)}, judge.CauseStaleCache, "search", "", ""},
	})
	v := judged(t, uses(22, 28))
	if b := rule(t, v, "bounds"); b.Outcome != judge.Fail || !strings.Contains(b.Detail, "held by luck: auth used k2 from 22m on, 6m before the step emit") {
		t.Errorf("nobody refused: got %s, %q, want that it held by luck, and fails for what auth does", b.Outcome, b.Detail)
	}
}
