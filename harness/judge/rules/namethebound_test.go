package rules

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/judge"
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
