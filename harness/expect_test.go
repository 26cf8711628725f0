package harness

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

func TestDifferences(t *testing.T) {
	stale := judge.Finding{
		RuleID: "auth-failures-flat", Level: judge.Error, Message: "web was refused", Presenter: "web", Validator: "search",
		Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseStaleCache, FirstPhase: "emit",
	}
	other := stale
	other.Presenter = "app"
	warning := judge.Finding{RuleID: "gates", Level: judge.Warning, Message: "would have stopped"}
	want := func(f ...scenario.ExpectedFinding) []scenario.ExpectedFinding { return f }
	bySearch := scenario.ExpectedFinding{RuleID: "auth-failures-flat", Consumer: "search", CausedBy: "emit"}
	tests := []struct {
		name     string
		expect   scenario.Expect
		verdict  judge.Outcome
		findings []judge.Finding
		want     []string // a part of each difference
	}{
		{"pass", scenario.Expect{Verdict: "pass"}, judge.Pass, nil, nil},
		{"pass with a warning", scenario.Expect{Verdict: "pass"}, judge.Pass, []judge.Finding{warning}, nil},
		{"another verdict", scenario.Expect{Verdict: "pass"}, judge.Inconclusive, nil, []string{"verdict is inconclusive, want pass: because"}},
		{"the finding", scenario.Expect{Verdict: "fail", Findings: want(bySearch)}, judge.Fail, []judge.Finding{stale}, nil},
		{"two alike", scenario.Expect{Verdict: "fail", Findings: want(bySearch)}, judge.Fail, []judge.Finding{stale, other}, nil},
		{
			"all fields", scenario.Expect{Verdict: "fail", Findings: want(asExpected(stale))}, judge.Fail, []judge.Finding{stale, other},
			[]string{"unexpected finding {ruleId: auth-failures-flat, consumer: search, presenter: app, "},
		},
		{
			"a missing one", scenario.Expect{Verdict: "fail", Findings: want(bySearch, scenario.ExpectedFinding{RuleID: "gates"})}, judge.Fail,
			[]judge.Finding{stale, warning}, []string{"no finding is {ruleId: gates}"},
		},
		{
			"an extra one", scenario.Expect{Verdict: "fail"}, judge.Fail, []judge.Finding{stale},
			[]string{"cause: stale-cache, first_phase: emit}: web was refused"},
		},
		{"an extra one that is allowed", scenario.Expect{Verdict: "fail", Extra: "allow"}, judge.Fail, []judge.Finding{stale}, nil},
		{
			"another cause", scenario.Expect{Verdict: "fail", Extra: "allow", Findings: want(scenario.ExpectedFinding{Cause: "one-slot"})},
			judge.Fail, []judge.Finding{stale}, []string{"no finding is {cause: one-slot}"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Differences(&test.expect, judge.Verdict{Verdict: test.verdict, Why: "because", Findings: test.findings})
			if len(got) != len(test.want) {
				t.Fatalf("got %q, want %d differences: %q", got, len(test.want), test.want)
			}
			for i := range got {
				if !strings.Contains(got[i], test.want[i]) {
					t.Errorf("got %q, want %q in it", got[i], test.want[i])
				}
			}
		})
	}
}
