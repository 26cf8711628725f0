package rules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestGateOfALoginThatLostARight: the cure ends the login, also where the new one was taken after it was asked.
func TestGateOfALoginThatLostARight(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]bool{"42501": true, "08006": false} {
		v := judged(t, databaseFamily, limit(func(l *plan.Limits) { l.Validators[1].Authority = true }), still(0), inStatus(status, asks(60, history.OldAfter, history.Unavailable)),
			add(history.Event{At: at(60.6), Kind: history.KindGate, Phase: history.Watch, Gate: &history.Gate{Phase: history.Watch, Mode: "observe", Consumer: "search", Detail: "it does not refuse k1"}}))
		told := slices.ContainsFunc(v.Findings, func(f judge.Finding) bool {
			return f.RuleID == "gates" && strings.Contains(f.Fix, "end the login itself of k1")
		})
		if told != want {
			t.Errorf("%s: got %+v, want the cure that ends the login: %v", status, v.Findings, want)
		}
	}
}
