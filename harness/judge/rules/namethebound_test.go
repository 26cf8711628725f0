package rules

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestNameTheBound: a run that fails by a bound alone names somebody, and one that
// fails by something else names whom that is about.
func TestNameTheBound(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		rules []judge.Rule
		level judge.Level // of the other finding
		want  judge.Level // of that of the bound
	}{
		{"alone", []judge.Rule{{ID: "availability", Outcome: judge.Inconclusive}, {ID: "bounds", Outcome: judge.Fail}}, judge.Warning, judge.Error},
		{"beside another rule", []judge.Rule{{ID: "auth-failures-flat", Outcome: judge.Fail}, {ID: "bounds", Outcome: judge.Fail}}, judge.Error, judge.Warning},
		{"before another rule", []judge.Rule{{ID: "bounds", Outcome: judge.Fail}, {ID: "leaks", Outcome: judge.Fail}}, judge.Error, judge.Warning},
		{"it did not fail", []judge.Rule{{ID: "bounds", Outcome: judge.Inconclusive}}, judge.Warning, judge.Warning},
	} {
		findings := []judge.Finding{{RuleID: "gates", Level: tt.level}, {RuleID: "bounds", Level: judge.Warning}, {RuleID: "bounds", Level: judge.Warning}}
		nameTheBound(tt.rules, findings)
		if findings[1].Level != tt.want || findings[2].Level != judge.Warning {
			t.Errorf("%s: got %s and %s, want %s and a warning", tt.name, findings[1].Level, findings[2].Level, tt.want)
		}
	}
}

// TestCureOfAnOpenBound: what was never seen to come again has no figure that is enough, and the cure does
// not say that there is one.
func TestCureOfAnOpenBound(t *testing.T) {
	b := plan.Bound{Rule: "G1", Field: "rollout.lead", Party: "ca", Needed: 100 * time.Second, Seen: []string{"ca had not fetched for 1m36s"}}
	if got, want := fixBound(b), "rollout.lead: at least 1m40s, and write on the page what ca really does"; got != want {
		t.Errorf("seen to come: got %q, want %q", got, want)
	}
	b.Open = true
	if got, want := fixBound(b), "rollout.lead: at least 1m40s, and longer than ca keeps a set, which this run did not show: "; !strings.HasPrefix(got, want) {
		t.Errorf("never seen to come: got %q, want %q", got, want)
	}
}
