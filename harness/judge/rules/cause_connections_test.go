package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// unanswered takes n answers of each bucket of a cell in [from, to) away, of k2
// where it presents one, for the status that it had instead.
func unanswered(presenter, status string, from, to float64, n int64) change {
	return func(s *story) {
		credential := ""
		if presenter == "search" && from > 28.4 {
			credential = "k2"
		}
		s.buckets(presenter, credential, from, to, func(_ history.Offset, c *history.Counts) {
			gone := min(n, c.OK)
			c.OK, c.Unavailable = c.OK-gone, c.Unavailable+gone
			c.Statuses = map[string]int64{"200": c.OK, status: c.Unavailable}
		})
	}
}

// TestTooManyConnections: where an authority has no room for connections, that is
// told apart from a refused credential, from one that is down and from sessions
// that were ended, with the figures of what would have been enough.
func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	pools := func(room, pool int, swaps bool) change {
		return limit(func(l *plan.Limits) {
			l.Validators[0].Connections = room
			l.Emitters[0].Pool, l.Emitters[0].SwapsPool = pool, swaps
		})
	}
	// From the switch on there is room for six of ten new connections.
	storm := []change{atTheAuthority, pools(14, 10, true), unanswered("search", "53300", 28.5, 32, 2), unanswered("app", "502", 28.5, 32, 2)}
	// search goes on with k1, whose role has a limit of connections of 0 from the revoke on.
	limitedAtTheRevoke := func(s *story) {
		s.buckets("search", "k2", 28, 61, func(_ history.Offset, c *history.Counts) { c.Credential = "k1" })
		s.buckets("search", "k1", 40.5, 61, func(_ history.Offset, c *history.Counts) {
			c.OK, c.Unavailable = 0, c.OK
			c.Statuses = map[string]int64{"53300 role limit": c.Unavailable}
		})
	}
	with := func(more ...change) []change { return append(storm[:len(storm):len(storm)], more...) }
	for _, tt := range []struct {
		name     string
		changes  []change
		cause    judge.Cause
		consumer string
		causedBy string
		says     []string
		fix      []string
	}{
		{"no room for a second pool", storm, judge.CauseTooManyConns, "search", "emit",
			[]string{"app got no good answer from search for 140 of ", "provider had no room for 70 new connections of search with k2 (status 53300",
				"it has room for 14, and its consumers need 20 (search fills a new pool of 10 while the connections of its old one live on, for up to 10m)"},
			[]string{"room for at least 20 connections", "max_connections", "close the old pool of search before", "BeforeConnect"}},
		{"no room for one pool", with(pools(8, 10, false)), judge.CauseTooManyConns, "search", "emit",
			[]string{"it has room for 8, and its consumers need 10 (the pool of search)"}, []string{"at least 10", "a smaller pool"}},
		{"nothing known of either", with(pools(0, 0, false)), judge.CauseTooManyConns, "search", "emit",
			[]string{"provider had no room for 70 new connections"}, []string{"room for more connections"}},
		{"a role with a limit before anything was changed", []change{atTheAuthority, unanswered("search", "53300", 2, 4, 2), unanswered("app", "502", 2, 4, 4)},
			judge.CauseTooManyConns, "search", "baseline", nil, []string{"CONNECTION LIMIT"}},
		{"its role has a limit", []change{atTheAuthority, pools(14, 10, true), unanswered("search", "53300 role limit", 28.5, 32, 2), unanswered("app", "502", 28.5, 32, 2)}, judge.CauseTooManyConns, "search", "emit",
			[]string{"provider let 70 new connections of search with k2 not in because of a limit of connections that its user has (status 53300 role limit: no auth failure, and others find room)"}, []string{"raise the limit of the user of k2 at provider"}},
		{"the revoke was a limit of 0", []change{atTheAuthority, pools(14, 10, true), limitedAtTheRevoke, unanswered("app", "502", 40.5, 61, 2)}, judge.CauseTooManyConns, "search", "revoke",
			[]string{"with k1 not in because of a limit of connections", "it began with the revoke of k1, which search still used"}, []string{"have search log in with k2 before the revoke"}},
		{"its credential was refused too", with(refuse("search", "k2", 30, 31, 2)), judge.CauseRefusedBehind, "search", "emit", nil, nil},
		{"not there at all", []change{atTheAuthority, unanswered("search", "unavailable", 28.5, 32, 2), unanswered("app", "502", 28.5, 32, 2)},
			judge.CauseServiceDown, "provider", "emit", []string{"provider, to which search presents the credential, gave no answer"}, nil},
		{"no room long before", []change{atTheAuthority, unanswered("search", "53300", 12, 14, 2), unanswered("app", "502", 45, 46, 4)},
			judge.CauseFailing, "search", "revoke", []string{"nothing in the history says why"}, nil},
		{"no room only after sessions were ended", []change{atTheAuthority, endsSessions(40.5, 3), unanswered("search", "53300", 43, 44, 2), unanswered("app", "502", 40.5, 44, 4)},
			judge.CauseCutOff, "search", "revoke", nil, nil},
		{"felt by nobody who calls", []change{atTheAuthority, pools(14, 10, true), unanswered("search", "53300", 28.5, 32, 2)},
			judge.CauseTooManyConns, "search", "emit", []string{"search got no answer from provider for 70 of ", "no room"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var found []judge.Finding
			for _, f := range judged(t, tt.changes...).Findings {
				if f.RuleID == "availability" {
					found = append(found, f)
				}
			}
			level := judge.Error
			if tt.causedBy == "baseline" { // it was so before the rotation
				level = judge.Warning
			}
			if len(found) != 1 || found[0].Level != level || found[0].Cause != tt.cause || found[0].Consumer != tt.consumer || found[0].CausedBy != tt.causedBy {
				t.Fatalf("got %+v, want one of cause %s by %s, with %s to look at", found, tt.cause, tt.causedBy, tt.consumer)
			}
			for _, want := range tt.says {
				if !strings.Contains(found[0].Message, want) {
					t.Errorf("message: got %q, want it to say %q", found[0].Message, want)
				}
			}
			for _, want := range tt.fix {
				if !strings.Contains(found[0].Fix, want) {
					t.Errorf("fix: got %q, want it to say %q", found[0].Fix, want)
				}
			}
		})
	}
}

// TestTooManyConnectionsOfSeveral: the need is that of all who log in there.
func TestTooManyConnectionsOfSeveral(t *testing.T) {
	t.Parallel()
	nightly := func(s *story) {
		s.limits.Emitters = append(s.limits.Emitters, plan.Emitter{Name: "nightly", OnPage: true, Pool: 5})
		for i := range 30 {
			e := counts(history.Offset(2*i)*history.Offset(time.Second), "nightly", "provider", "k1", 1)
			if i > 14 {
				e.Credential, e.Counts.Credential = "k2", "k2"
			}
			e.Counts.Source = history.FromAuthority
			s.add(e)
		}
		s.add(emitting(0, "nightly", "k1"), emitting(at(29), "nightly", "k2"))
	}
	figures := limit(func(l *plan.Limits) {
		l.Validators[0].Connections, l.Emitters[0].Pool, l.Emitters[0].SwapsPool = 14, 10, true
	})
	v := judged(t, atTheAuthority, nightly, figures, unanswered("search", "53300", 28.5, 32, 2), unanswered("app", "502", 28.5, 32, 2))
	wantSaid(t, v, "availability", "5 (the pool of nightly) and 20 (search fills a new pool of 10 while the connections of its old one live on, for up to 10m), 25 in all")
	// Of one nothing is known: then there is no sum.
	v = judged(t, atTheAuthority, nightly, figures, limit(func(l *plan.Limits) { l.Emitters[1].Pool = 0 }),
		unanswered("search", "53300", 28.5, 32, 2), unanswered("app", "502", 28.5, 32, 2))
	if got := v.Findings[0].Message; strings.Contains(got, "need") {
		t.Errorf("without the pool of nightly: got %q, want no sum", got)
	}
}
