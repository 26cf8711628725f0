package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/judge"
)

// found is what a story is to be found: one row of a detector's table.
type found struct {
	name     string
	changes  []change
	cause    judge.Cause
	consumer string
	says     string
	fix      string
}

// wantFound judges each story and checks the one finding of a rule about a presenter.
func wantFound(t *testing.T, rule, presenter string, rows []found) {
	t.Helper()
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []judge.Finding
			for _, f := range judged(t, tt.changes...).Findings {
				if f.RuleID == rule && f.Presenter == presenter {
					got = append(got, f)
				}
			}
			if len(got) != 1 {
				t.Fatalf("findings: got %+v, want one of %s at %s", got, presenter, rule)
			}
			f := got[0]
			if f.Cause != tt.cause || f.Consumer != tt.consumer {
				t.Errorf("got %s, want cause %s with %s to look at", text(f), tt.cause, tt.consumer)
			}
			if !strings.Contains(f.Message, tt.says) || !strings.Contains(f.Fix, tt.fix) {
				t.Errorf("got %q and %q, want %q and %q", f.Message, f.Fix, tt.says, tt.fix)
			}
		})
	}
}
