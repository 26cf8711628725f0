package reports

import (
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/reports/junittest"
)

func TestWriteJUnit(t *testing.T) {
	golden(t, "runs.junit.xml", func(w io.Writer) error {
		return WriteJUnit(w, []Suite{SuiteOf(passModel()), SuiteOf(failModel()), SuiteOf(inconclusiveModel())})
	})
	golden(t, "test.junit.xml", func(w io.Writer) error {
		return WriteJUnit(w, []Suite{
			SuiteOfExpectation(failModel(), nil),
			SuiteOfExpectation(passModel(), []string{"verdict: got pass, want fail", "no finding of auth-failures-flat"}),
			SuiteOfExpectation(inconclusiveModel(), []string{"verdict: got inconclusive, want pass"}),
		})
	})
}

// TestJUnitKeepsToTheSchemas holds all that a suite may come to be against the
// schemas that CI systems use.
func TestJUnitKeepsToTheSchemas(t *testing.T) {
	hostile := "\x00\x1b[31m ]]> <failure> \ufffe \u202e &amp; \"'\n\t" + strings.Repeat("x", 10_000)
	loud := failModel()
	loud.Why, loud.Scenario, loud.Store = hostile, hostile, hostile
	loud.Findings[0].Message, loud.Rules[0].Detail = hostile, hostile
	suites := []Suite{
		{}, // nothing is known of it
		{Name: "broken", Cases: []Case{{Name: "as expected", Outcome: CouldNotRun, Message: hostile, Text: hostile}}},
		SuiteOf(loud), SuiteOfExpectation(loud, []string{hostile}),
	}
	for _, m := range models() {
		suites = append(suites, SuiteOf(m), SuiteOfExpectation(m, nil), SuiteOfExpectation(m, []string{"verdict is pass, want fail"}))
	}
	for name, some := range map[string][]Suite{"all of them": suites, "none": nil} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := WriteJUnit(&b, some); err != nil {
				t.Fatal(err)
			}
			junittest.Validate(t, b.Bytes())
		})
	}
}

// TestJUnitGoldenFilesKeepToTheSchemas does so with what others read of them.
func TestJUnitGoldenFilesKeepToTheSchemas(t *testing.T) {
	for _, name := range []string{"runs.junit.xml", "test.junit.xml"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		junittest.Validate(t, data)
	}
}

// outcomesOf are the outcomes of a suite's cases by their names.
func outcomesOf(s Suite) map[string]judge.Outcome {
	outcomes := map[string]judge.Outcome{}
	for _, c := range s.Cases {
		outcomes[c.Name] = c.Outcome
	}
	return outcomes
}

func TestSuiteOfExpectation(t *testing.T) {
	tests := []struct {
		name        string
		differences []string
		broken      []string
		want        map[string]judge.Outcome
	}{
		{"as expected", nil, []string{"auth-failures-flat"}, map[string]judge.Outcome{
			"as expected": judge.Pass, "auth-failures-flat": judge.Pass, "faults": judge.Skipped, "ledger": judge.Skipped,
		}},
		{"not as expected, though it broke what it should", []string{"unexpected finding"}, []string{"auth-failures-flat"}, map[string]judge.Outcome{
			"as expected": judge.Fail, "auth-failures-flat": judge.Pass, "faults": judge.Inconclusive, "ledger": judge.Skipped,
		}},
		{"not as expected", []string{"verdict is fail, want pass"}, nil, map[string]judge.Outcome{
			"as expected": judge.Fail, "auth-failures-flat": judge.Fail, "faults": judge.Inconclusive, "ledger": judge.Skipped,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := outcomesOf(SuiteOfExpectation(failModel(), test.differences, test.broken...)); !maps.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestJUnitCounts(t *testing.T) {
	s := junit(3, Suite{Name: "a/b", Cases: []Case{
		{Outcome: judge.Pass}, {Outcome: judge.Fail}, {Outcome: judge.Fail}, {Outcome: judge.Inconclusive},
		{Outcome: "something new"}, {Outcome: judge.Skipped}, {Outcome: CouldNotRun},
	}})
	if s.Tests != 7 || s.Failures != 2 || s.Errors != 3 || s.Skipped != 1 || s.ID != 3 {
		t.Errorf("got %d tests, %d failures, %d errors, %d skipped, id %d; want 7, 2, 3, 1, 3", s.Tests, s.Failures, s.Errors, s.Skipped, s.ID)
	}
	if s.Cases[0].Classname != "a.b" {
		t.Errorf("got class %q, want a.b", s.Cases[0].Classname)
	}
}
