package harness

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// extraAllow says that findings beside the expected ones are allowed: the only value of
// scenario.Extras.
const extraAllow = "allow"

// Differences compares a verdict with what a scenario expects: one sentence for each difference, none
// where all is as expected. The findings of level error must be exactly the expected ones unless extra
// ones are allowed; several expected findings may be equal.
func Differences(e *scenario.Expect, v judge.Verdict) []string {
	var differences []string
	if e.Verdict != string(v.Verdict) {
		difference := fmt.Sprintf("verdict is %s, want %s", v.Verdict, e.Verdict)
		if v.Why != "" {
			difference += ": " + v.Why
		}
		differences = append(differences, difference)
	}
	expected := make([]bool, len(v.Findings))
	for _, want := range e.Findings {
		found := false
		for i, f := range v.Findings {
			if f.Level == judge.Error && matches(want, f) {
				found, expected[i] = true, true
			}
		}
		if !found {
			differences = append(differences, "no finding is "+describe(want))
		}
	}
	if e.Extra == extraAllow {
		return differences
	}
	for i, f := range v.Findings {
		if f.Level == judge.Error && !expected[i] {
			differences = append(differences, fmt.Sprintf("unexpected finding %s: %s", describe(asExpected(f)), f.Message))
		}
	}
	return differences
}

// fields pairs what is expected of a finding with what it has, by name.
func fields(e scenario.ExpectedFinding, f judge.Finding) [][3]string {
	return [][3]string{
		{"ruleId", e.RuleID, f.RuleID},
		{"consumer", e.Consumer, f.Consumer},
		{"presenter", e.Presenter, f.Presenter},
		{"validator", e.Validator, f.Validator},
		{"credential", e.Credential, f.Credential},
		{"caused_by", e.CausedBy, f.CausedBy},
		{"cause", e.Cause, string(f.Cause)},
		{"first_phase", e.FirstPhase, f.FirstPhase},
	}
}

// matches reports whether a finding has all that is expected of it.
func matches(e scenario.ExpectedFinding, f judge.Finding) bool {
	for _, field := range fields(e, f) {
		if field[1] != "" && field[1] != field[2] {
			return false
		}
	}
	return true
}

// asExpected is the finding as a scenario would expect it.
func asExpected(f judge.Finding) scenario.ExpectedFinding {
	return scenario.ExpectedFinding{
		RuleID: f.RuleID, Consumer: f.Consumer, Presenter: f.Presenter, Validator: f.Validator,
		Credential: f.Credential, CausedBy: f.CausedBy, Cause: string(f.Cause), FirstPhase: f.FirstPhase,
	}
}

// describe writes an expected finding as a scenario has it.
func describe(e scenario.ExpectedFinding) string {
	var parts []string
	for _, field := range fields(e, judge.Finding{}) {
		if field[1] != "" {
			parts = append(parts, field[0]+": "+field[1])
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
