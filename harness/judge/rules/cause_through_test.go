package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestThroughAPooler: a service that reaches an authority by way of a pooler
// fails its callers where the pooler was refused; the pooler is to be looked at.
func TestThroughAPooler(t *testing.T) {
	t.Parallel()
	pooled := func(s *story) {
		s.limits.Clients[0].To, s.limits.Clients[0].Through = "front", "search"
		for i := range s.events {
			if c := s.events[i].Counts; c != nil && c.Presenter == "app" {
				c.Validator = "front"
			}
		}
	}
	for _, tt := range []struct {
		name     string
		changes  []change
		consumer string
		says     string
	}{
		{"the pooler was refused", []change{atTheAuthority, refuse("search", "k2", 45, 61, 10), unavailable("app", 45, 61), pooled}, "search", "search, through which it reaches provider, presented the credential there and was refused"},
		{"long before", []change{atTheAuthority, refuse("search", "k2", 30, 31, 10), unavailable("app", 45, 61), pooled}, "front", ""},
		{"nobody is between", []change{atTheAuthority, refuse("search", "k2", 45, 61, 10), unavailable("app", 45, 61), pooled, limit(func(l *plan.Limits) { l.Clients[0].Through = "" })}, "front", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var found []judge.Finding
			for _, f := range judged(t, tt.changes...).Findings {
				if f.RuleID == "availability" && f.Presenter == "app" {
					found = append(found, f)
				}
			}
			if len(found) != 1 || found[0].Consumer != tt.consumer || !strings.Contains(found[0].Message, tt.says) {
				t.Errorf("got %+v, want one with %s to look at that says %q", found, tt.consumer, tt.says)
			}
		})
	}
}
