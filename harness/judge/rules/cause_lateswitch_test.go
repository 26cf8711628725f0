package rules_test

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestLateSwitch: who switched later than the page says is to be looked at, and
// not its client, where the window would have been enough otherwise.
func TestLateSwitch(t *testing.T) {
	t.Parallel()
	used := []change{goesOn(36.5, 44), refuse("app", "k1", 41, 44, 10)}
	with := func(more ...change) []change { return append(used[:len(used):len(used)], more...) }
	wantFound(t, "auth-failures-flat", "app", []found{
		{"seven minutes late", with(switches(36)), judge.CauseNotSwitched, "auth",
			"auth switched only 8m after the emit (the page says 1m15s), so that what it made with k1 until then was still in use when that was revoked 4m30s later",
			"make auth take what is published every 45s as the page says; else revoke at least 10m30s after it is seen to use k2"},
		{"cut off from the store", with(cutFromTheStore, switches(36)), judge.CauseNotSwitched, "auth", "", "mend what kept auth from the new credential (here the fault partition on auth → store)"},
		{"in time", with(switches(28.4)), judge.CauseOutlived, "app", "k1 was revoked 12m6s after auth switched", ""},
		{"as late as logs and clocks are off", with(switches(30)), judge.CauseOutlived, "app", "", ""},
		{"late, and the window was too short for anybody", []change{revokedAt(31.4), switches(31), refuse("app", "k1", 32.4, 37, 10)}, judge.CauseOutlived, "app", "", ""},
		{"off the page", with(switches(36), limit(func(l *plan.Limits) { l.Emitters[0].OnPage = false })), judge.CauseNotSwitched, "auth", "auth, which is not on the page, switched only 8m", ""},
	})
}
