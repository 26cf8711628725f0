package console

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/judge"
)

func failed() judge.Verdict {
	return judge.Verdict{
		Verdict: judge.Fail, AuthFailures: judge.NotFlat,
		Why: "search refused k2 for 9m50s: it learned it 14m50s after it was published, and the lead was 5m.",
		Rules: []judge.Rule{
			{ID: "auth-failures-flat", Outcome: judge.Fail, Detail: "1,204 refusals in web → search"},
			{ID: "availability", Outcome: judge.Pass}, {ID: "faults", Outcome: judge.Inconclusive, Detail: "the fault left no evidence"},
			{ID: "ledger", Outcome: judge.Skipped}, {ID: "leaks", Outcome: judge.Pass},
		},
		Findings: []judge.Finding{
			{RuleID: "faults", Level: judge.Note, Message: "the partition\x1b[2J left no evidence"},
			{
				RuleID: "auth-failures-flat", Level: judge.Error, Message: "web was refused by search with k2", Presenter: "web", Validator: "search",
				Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseStaleCache, FirstPhase: "emit",
				FirstMS: 10_120, LastMS: 19_950, Count: 1204, BudgetSpent: 4.1, Fix: "publish at least 15m30s before emitting",
			},
		},
	}
}

func TestPrintVerdict(t *testing.T) {
	tests := []struct {
		file    string
		verdict judge.Verdict
		report  string
		options Options
	}{
		{"fail.txt", failed(), "runs/1/report.html", Options{}},
		{"fail-color.txt", failed(), "runs/1/report.html", Options{Color: true}},
		{"pass.txt", judge.Verdict{Verdict: judge.Pass, AuthFailures: judge.Flat, Why: "No credential was refused in 41,230 attempts.",
			Rules: []judge.Rule{{ID: "auth-failures-flat", Outcome: judge.Pass}}}, "runs/2/report.html", Options{}},
		{"inconclusive.txt", judge.Verdict{Verdict: judge.Inconclusive, AuthFailures: judge.CannotTell}, "", Options{}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			var b bytes.Buffer
			if err := PrintVerdict(&b, tt.verdict, limits, tt.report, tt.options); err != nil {
				t.Fatal(err)
			}
			if !tt.options.Color && strings.Contains(b.String(), "\x1b") {
				t.Errorf("output without colour has an escape: %q", b.String())
			}
			golden(t, tt.file, b.String())
		})
	}
	if err := PrintVerdict(&goneWriter{}, failed(), limits, "", Options{}); !errors.Is(err, errGone) {
		t.Errorf("got error %v of a closed terminal, want its own", err)
	}
}

// TestPrintVerdictSaysWhyOnce leaves the sentence to the finding that is it.
func TestPrintVerdictSaysWhyOnce(t *testing.T) {
	v := failed()
	v.Why = v.Findings[1].Message
	var b bytes.Buffer
	if err := PrintVerdict(&b, v, limits, "", Options{}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), v.Why); n != 1 {
		t.Errorf("got it %d times, want once:\n%s", n, b.String())
	}
}
