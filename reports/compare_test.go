package reports

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// compared compares two models that can be compared.
func compared(t *testing.T, before, after *Model) *Comparison {
	t.Helper()
	c, err := Compare(before, after)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// later is a run after another one.
func later(m *Model) *Model {
	m.StartedAt = m.StartedAt.Add(time.Hour)
	return m
}

func TestCompareFormats(t *testing.T) {
	fixed := compared(t, failModel(), later(passModel()))
	broken := compared(t, passModel(), later(failModel()))
	early := compared(t, passModel(), later(inconclusiveModel()))
	for name, c := range map[string]*Comparison{"fixed": fixed, "broken": broken, "early": early} {
		for extension, write := range map[string]func(io.Writer, *Comparison) error{
			"txt": WriteCompareText, "md": WriteCompareMarkdown, "json": WriteCompareJSON,
		} {
			t.Run(name+"."+extension, func(t *testing.T) {
				golden(t, "compare-"+name+"."+extension, func(w io.Writer) error { return write(w, c) })
			})
		}
	}
}

// TestWhatCounts holds one change at a time against what counts as a regression.
func TestWhatCounts(t *testing.T) {
	addFinding := func(level judge.Level) func(*Model) {
		return func(m *Model) {
			m.Findings = append(m.Findings, judge.Finding{RuleID: "sessions", Level: level, Presenter: "web", Message: "held back", Count: 3})
		}
	}
	tests := []struct {
		name   string
		before func(*Model)
		after  func(*Model)
		want   string // the regression; empty: none
	}{
		{name: "nothing"},
		{name: "verdict", after: func(m *Model) { m.Verdict.Verdict = judge.Fail }, want: "verdict: pass → fail"},
		{name: "verdict that cannot be told", after: func(m *Model) { m.Verdict.Verdict = judge.Inconclusive }, want: "verdict: pass → inconclusive"},
		{
			name:   "from cannot tell to fail",
			before: func(m *Model) { m.Verdict.Verdict = judge.Inconclusive }, after: func(m *Model) { m.Verdict.Verdict = judge.Fail },
			want: "verdict: inconclusive → fail",
		},
		{
			name:   "from fail to cannot tell",
			before: func(m *Model) { m.Verdict.Verdict = judge.Fail }, after: func(m *Model) { m.Verdict.Verdict = judge.Inconclusive },
		},
		{name: "rule", after: func(m *Model) { m.Rules[0].Outcome = judge.Fail }, want: "rule auth-failures-flat: pass → fail (–)"},
		{name: "rule that was not held against anything", after: func(m *Model) { m.Rules[1].Outcome = judge.Inconclusive }, want: "rule ledger: skipped → inconclusive"},
		{name: "rule without anything to hold", after: func(m *Model) { m.Rules[0].Outcome = judge.Skipped }},
		{name: "new rule", after: func(m *Model) { m.Rules = append(m.Rules, judge.Rule{ID: "new", Outcome: judge.Fail}) }, want: "rule new: – → fail"},
		{name: "error", after: addFinding(judge.Error), want: "new error sessions: held back"},
		{name: "warning", after: addFinding(judge.Warning)},
		{name: "warning that is an error now", before: addFinding(judge.Warning), after: addFinding(judge.Error), want: "new error sessions: held back"},
		{name: "error that was there", before: addFinding(judge.Error), after: addFinding(judge.Error)},
		{name: "auth failures inside the objective", after: func(m *Model) { m.Cells[0].AuthFailures = 10 }},
		{
			name: "auth failures beyond the objective", after: func(m *Model) { m.Cells[0].AuthFailures = 11 },
			want: "web → checkout: auth failures rose from 0 % to 0.11 % of attempts; the objective allows 0.1 %",
		},
		{
			name:   "as many auth failures as before, but for chance",
			before: func(m *Model) { m.Cells[1].AuthFailures = 2000 }, after: func(m *Model) { m.Cells[1].AuthFailures = 2200 },
		},
		{
			name:   "more auth failures than before",
			before: func(m *Model) { m.Cells[1].AuthFailures = 2000 }, after: func(m *Model) { m.Cells[1].AuthFailures = 2300 },
			want: "web → checkout: auth failures rose from 20.0 % to 23.0 % of attempts",
		},
		{
			name: "attempts without service", after: func(m *Model) { m.Cells[1].Unavailable = 500 },
			want: "web → checkout: attempts without service rose from 0 % to 5.0 % of attempts",
		},
		{
			name:   "any refusal where the objective allows none",
			before: func(m *Model) { m.Limits.Objective = 1 }, after: func(m *Model) { m.Limits.Objective, m.Cells[0].AuthFailures = 1, 1 },
			want: "web → checkout: auth failures rose from 0 % to 0.01 % of attempts",
		},
		{name: "latency", after: func(m *Model) { m.Cells[0].P99MS = 1000 }},
		{name: "a slow validator", after: func(m *Model) { m.Validators[0].LearnedAfterMS = 10_000 }},
		{name: "nobody calls any more", after: func(m *Model) { m.Cells = nil }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before, after := passModel(), later(passModel())
			if test.before != nil {
				test.before(before)
			}
			if test.after != nil {
				test.after(after)
			}
			c := compared(t, before, after)
			if test.want == "" && c.Regression() {
				t.Errorf("got regressions %q, want none", c.Regressions)
			}
			if test.want != "" && !slices.ContainsFunc(c.Regressions, func(s string) bool { return strings.Contains(s, test.want) }) {
				t.Errorf("got regressions %q, want %q among them", c.Regressions, test.want)
			}
			if test.want != "" && len(c.Regressions) != 1 {
				t.Errorf("got %d regressions, want the one: %q", len(c.Regressions), c.Regressions)
			}
			// The other way round it is better, or at least no regression.
			if back := compared(t, after, later(later(before))); test.want != "" && back.Regression() {
				t.Errorf("the way back: got regressions %q, want none", back.Regressions)
			}
		})
	}
}

func TestCompareWithItself(t *testing.T) {
	for name, m := range models() {
		t.Run(name, func(t *testing.T) {
			c := compared(t, m, m)
			if c.Regression() || len(c.Improvements) > 0 {
				t.Errorf("got worse %q and better %q, want neither", c.Regressions, c.Improvements)
			}
			if len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "the same in both") {
				t.Errorf("got notes %q, want that both are the same", c.Notes)
			}
		})
	}
}

func TestNotComparable(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Model)
		want   string
	}{
		{"another family", func(m *Model) { m.Limits.Family = "api-key" }, "the family is jwt-signing-key in the first and api-key in the second"},
		{"another secret", func(m *Model) { m.Secret = "payments-key" }, "the secret of the page is session-signing-key in the first and payments-key in the second"},
		{"other parties", func(m *Model) {
			for i := range m.Cells {
				m.Cells[i].Presenter = "bot"
			}
		}, "no client calls the same service in both (web → checkout in the first, bot → checkout in the second)"},
		{"no name of the secret, as older versions wrote", func(m *Model) { m.Secret = "" }, ""},
		{"a run that ended early", func(m *Model) { m.Cells = nil }, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			after := passModel()
			test.change(after)
			_, err := Compare(passModel(), after)
			if test.want == "" && err != nil {
				t.Errorf("got %v, want that they can be compared", err)
			}
			if test.want != "" && (!errors.Is(err, ErrNotComparable) || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestFindingOfAClientThatIsGone(t *testing.T) {
	before := failModel()
	after := later(passModel()) // nobody calls search in it
	i := slices.IndexFunc(compared(t, before, after).Findings, func(f FindingChange) bool { return f.Change == NotExercised })
	c := compared(t, before, after)
	if i < 0 || c.Findings[i].Before.Validator != "search" {
		t.Fatalf("got findings %+v, want that of search not exercised", c.Findings)
	}
	if slices.ContainsFunc(c.Improvements, func(s string) bool { return strings.Contains(s, "no more error") }) {
		t.Errorf("got improvements %q, want none of a client that does not call any more", c.Improvements)
	}
}

func TestFindingsAreThoseOfTheSameUsers(t *testing.T) {
	base := judge.Finding{RuleID: "auth-failures-flat", Level: judge.Error, Presenter: "web", Validator: "search", Consumer: "search", Credential: "k2", CausedBy: "emit"}
	gate := judge.Finding{RuleID: "gates", Level: judge.Error, Consumer: "search", Credential: "k2", CausedBy: "verify"}
	tests := []struct {
		name          string
		before, after judge.Finding
		same          bool
	}{
		{"another mechanism", base, func(f judge.Finding) judge.Finding { f.Cause, f.Consumer = judge.CauseLatePublish, "auth"; return f }(base), true},
		{"another credential", base, func(f judge.Finding) judge.Finding { f.Credential = "k1"; return f }(base), false},
		{"another client", base, func(f judge.Finding) judge.Finding { f.Presenter = "app"; return f }(base), false},
		{"the same gate", gate, gate, true},
		{"another gate", gate, func(f judge.Finding) judge.Finding { f.CausedBy = "overlap"; return f }(gate), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before, after := passModel(), passModel()
			before.Findings, after.Findings = []judge.Finding{test.before}, []judge.Finding{test.after}
			c := compared(t, before, after)
			if got := len(c.Findings) == 1 && c.Findings[0].Change == Same; got != test.same {
				t.Errorf("got %+v, want the same finding: %t", c.Findings, test.same)
			}
		})
	}
}

func TestCompareTellsTimesInPageTime(t *testing.T) {
	before, after := passModel(), later(passModel())
	before.Speed, before.Validators[0].LearnedAfterMS = 30, 240 // 7.2 s, as 120 ms at speed 60
	v := compared(t, before, after).Validators[0]
	if v.Before.LearnedMS != v.After.LearnedMS || v.After.LearnedMS != 7200 {
		t.Errorf("got %+v and %+v, want 7200 ms of page time in both", v.Before, v.After)
	}
}

func TestCompareValidators(t *testing.T) {
	tests := []struct {
		name                 string
		before, after, bound int64
		want                 Change
	}{
		{"in time and in time", 10, 20, 100, Same},
		{"too late now", 10, 120, 100, Worse},
		{"in time now", 120, 10, 100, Better},
		{"never in either", -1, -1, 100, Same},
		{"not any more", 10, -1, 100, Differs},
		{"no bound", 10, 120, -1, Same},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := inTime(test.before, test.bound, test.after, test.bound); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// Refusals are held against the objective where the credential is checked, and
// missing answers where users call.
func TestCompareAtTheJudgedHop(t *testing.T) {
	model := func(failures, unavailable int64) *Model {
		m := passModel()
		m.Limits.JudgedAt = history.FromAuthority
		m.Cells = []judge.Cell{
			{Source: history.FromAuthority, Presenter: "billing", Validator: "payments", Attempts: 1000, AuthFailures: failures, Unavailable: unavailable},
			{Source: history.FromLoad, Presenter: "shop", Validator: "billing", Attempts: 1000, AuthFailures: failures, Unavailable: unavailable},
			{Source: history.FromProbe, Presenter: "rehearse", Validator: "payments", Attempts: 10, AuthFailures: 10},
		}
		return m
	}
	got := compared(t, model(0, 0), model(100, 100)).Regressions
	want := []string{
		"billing → payments (seen by the authority): auth failures rose from 0 % to 10.0 % of attempts; the objective allows 0.1 %",
		"shop → billing: attempts without service rose from 0 % to 10.0 % of attempts; the objective allows 0.1 %",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestCompareChangesNothing(t *testing.T) {
	before, after := failModel(), passModel()
	var was, is bytes.Buffer
	for _, w := range []*bytes.Buffer{&was, &is} {
		if err := errors.Join(WriteJSON(w, before), WriteJSON(w, after)); err != nil {
			t.Fatal(err)
		}
		compared(t, before, after)
	}
	if was.String() != is.String() {
		t.Error("Compare changed a model that it was given")
	}
}

func TestCompareTextIsOneLineEach(t *testing.T) {
	after := later(failModel())
	after.Rules[0].Detail = "one\ntwo\r\n   three"
	var b bytes.Buffer
	if err := WriteCompareText(&b, compared(t, passModel(), after)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "one two three") {
		t.Errorf("got %q, want the detail in one line", b.String())
	}
}
