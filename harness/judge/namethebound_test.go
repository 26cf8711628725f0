package judge

import "testing"

// TestNameTheBound: a run that fails by a bound alone names somebody, and one that
// fails by something else names whom that is about.
func TestNameTheBound(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		rules []Rule
		level Level // of the other finding
		want  Level // of that of the bound
	}{
		{"alone", []Rule{{ID: "availability", Outcome: Inconclusive}, {ID: "bounds", Outcome: Fail}}, Warning, Error},
		{"beside another rule", []Rule{{ID: "auth-failures-flat", Outcome: Fail}, {ID: "bounds", Outcome: Fail}}, Error, Warning},
		{"before another rule", []Rule{{ID: "bounds", Outcome: Fail}, {ID: "leaks", Outcome: Fail}}, Error, Warning},
		{"it did not fail", []Rule{{ID: "bounds", Outcome: Inconclusive}}, Warning, Warning},
	} {
		findings := []Finding{{RuleID: "gates", Level: tt.level}, {RuleID: "bounds", Level: Warning}, {RuleID: "bounds", Level: Warning}}
		nameTheBound(tt.rules, findings)
		if findings[1].Level != tt.want || findings[2].Level != Warning {
			t.Errorf("%s: got %s and %s, want %s and a warning", tt.name, findings[1].Level, findings[2].Level, tt.want)
		}
	}
}
