package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestWithoutEvidence holds that a rule for which there is no evidence never
// passes, and that this hides no fail.
func TestWithoutEvidence(t *testing.T) {
	t.Parallel()
	lacks := func(rule string) change {
		return limit(func(l *plan.Limits) {
			l.RuleSources = []plan.RuleSource{{Rule: "auth-failures-flat", From: "the load"}, {Rule: rule, From: "no token outlives it", None: true}}
		})
	}
	for _, tt := range []struct {
		name    string
		rule    string
		changes []change
		want    judge.Outcome
		says    string
		verdict judge.Outcome
	}{
		{"it would pass", "revocation", nil, judge.Inconclusive, "there is no evidence: no token outlives it", judge.Inconclusive},
		{"it could not be asked", "revocation", []change{still(0)}, judge.Inconclusive, "there is no evidence: no token outlives it", judge.Inconclusive},
		{"it failed all the same", "revocation", []change{still(0, 41, 50, 60.4)}, judge.Fail, "", judge.Fail},
		{"another rule fails", "gates", []change{refuse("app", "k2", 26, 30, 1)}, judge.Inconclusive, "there is no evidence", judge.Fail},
		{"no log is followed", "logs", []change{limit(func(l *plan.Limits) { l.Checks = []string{"logs"} })}, judge.Inconclusive, "there is no evidence", judge.Inconclusive},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, append(tt.changes, lacks(tt.rule))...)
			r := rule(t, v, tt.rule)
			if r.Outcome != tt.want || !strings.Contains(r.Detail, tt.says) {
				t.Errorf("%s is %s: %s; want %s: %s", tt.rule, r.Outcome, r.Detail, tt.want, tt.says)
			}
			if v.Verdict != tt.verdict {
				t.Errorf("the verdict is %s, want %s", v.Verdict, tt.verdict)
			}
		})
	}
}
