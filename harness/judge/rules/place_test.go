package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// TestFaultsAreCitedInTimeAndPlace tells of a fault in a finding where it was
// in effect before the refusals ended and at one of their parties, and only there.
func TestFaultsAreCitedInTimeAndPlace(t *testing.T) {
	disturbed := func(from, to float64, took bool, f history.Fault) change {
		return func(s *story) {
			for _, stage := range []history.Event{
				fault(at(from), "partition", f.Target, "injected", false),
				fault(at(from), "partition", f.Target, "evidence", took),
				fault(at(to), "partition", f.Target, "undone", false),
			} {
				stage.Fault.From, stage.Fault.To = f.From, f.To
				s.add(stage)
			}
		}
	}
	edge := func(from, to string) history.Fault {
		return history.Fault{Target: from + " → " + to, From: from, To: to}
	}
	tests := []struct {
		name  string
		fault change
		cited string
	}{
		{"on the validator's way to its keys", disturbed(12, 20, true, edge("search", "auth")), "; the fault partition on search → auth was in effect from 12m until 20m"},
		{"on the emitter's way to the store", disturbed(12, 20, true, edge("auth", "store")), "; the fault partition on auth → store was in effect"},
		{"at the validator", disturbed(12, 20, true, history.Fault{Target: "search"}), "; the fault partition on search was in effect"},
		{"at another validator", disturbed(12, 20, true, edge("checkout", "auth")), ""},
		{"on its way to somebody else", disturbed(12, 20, true, edge("auth", "checkout")), ""},
		{"over before the new one was accepted", disturbed(3, 5, true, edge("search", "auth")), ""},
		{"begun after the last refusal", disturbed(50, 52, true, edge("search", "auth")), ""},
		{"without evidence", disturbed(12, 20, false, edge("search", "auth")), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := judged(t, searchLearns(40), refuse("app", "k2", 28.4, 40, 1), tt.fault)
			for _, f := range v.Findings {
				if f.RuleID != "auth-failures-flat" || f.Level != judge.Error {
					continue
				}
				if tt.cited == "" && strings.Contains(f.Message, "in effect") || !strings.Contains(f.Message, tt.cited) {
					t.Errorf("message: got %q, want %q cited", f.Message, tt.cited)
				}
				return
			}
			t.Error("got no finding of auth-failures-flat")
		})
	}
}
