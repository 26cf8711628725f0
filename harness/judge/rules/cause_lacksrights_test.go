package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// TestLacksRights: a login that was let in and may not do what is asked is told
// apart from one that was refused, and from a session that was ended at the end.
func TestLacksRights(t *testing.T) {
	t.Parallel()
	denied := func(moment float64, reader string) change {
		return add(history.Event{At: at(moment), Kind: history.KindDenied, Service: "db", Reader: reader, Credential: "k2", Detail: "permission denied for table orders"})
	}
	for _, tt := range []struct {
		name    string
		changes []change
		cause   judge.Cause
		who     string
		says    string
	}{
		{"denied", []change{denied(45, "search")}, judge.CauseLacksRights, "db", "db let search in with k2 and denied what it asked for (permission denied for table orders)"},
		{"denied with the old one, of which no right of the new one is the cure", []change{func(s *story) {
			denied(45, "search")(s)
			s.events[len(s.events)-1].Credential = "k1"
		}}, judge.CauseLacksRights, "search", "give what k1 logs in with the right that it lacks"},
		{"denied once, and refused more often", []change{denied(45, "search"), refusedAt("db", "search", "k2", 45.2, 2)}, judge.CauseRefusedBehind, "db", "db refused the credential that search presented"},
		{"another was", []change{denied(45, "checkout")}, judge.CauseServiceDown, "search", ""},
		{"at another time", []change{denied(30, "search")}, judge.CauseServiceDown, "search", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var found []judge.Finding
			for _, f := range judged(t, append([]change{unavailable("app", 45, 47)}, tt.changes...)...).Findings {
				if f.RuleID == "availability" {
					found = append(found, f)
				}
			}
			if len(found) != 1 || found[0].Cause != tt.cause || found[0].Consumer != tt.who || !strings.Contains(found[0].Message+found[0].Fix, tt.says) {
				t.Errorf("got %+v, want one of cause %s, with %s to look at, that says %q", found, tt.cause, tt.who, tt.says)
			}
		})
	}
}

// refusedAt is that somebody was refused at an authority some times.
func refusedAt(validator, presenter, credential string, moment float64, n int64) change {
	return func(s *story) {
		s.limits.JudgedAt = history.FromAuthority
		s.add(history.Event{At: at(moment), Kind: history.KindCounts, Counts: &history.Counts{
			Source: history.FromAuthority, Presenter: presenter, Validator: validator, Credential: credential, Width: at(0.1),
			Attempts: n, AuthFailures: n, FirstFailure: at(moment), LastFailure: at(moment), Statuses: map[string]int64{"28P01": n},
		}})
	}
}
