package rules_test

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestWaitsInAQueue: who reads the new one in time and goes on presenting the old one has
// it in what waits, or does not use what it reads; who reads late is late.
func TestWaitsInAQueue(t *testing.T) {
	t.Parallel()
	reads := func(moment float64) change {
		return add(history.Event{At: at(moment), Kind: history.KindRead, Service: "store", Reader: "search", What: "secret/data/key"})
	}
	uses := func(from float64) change { // the new one
		return func(s *story) {
			atTheAuthority(s)
			s.limits.Emitters = []plan.Emitter{{Name: "search", OnPage: true, Refresh: s.limits.Propagation}}
			without(func(e history.Event) bool {
				return e.Kind == history.KindEmitting && e.Service == "search" && e.Credential == "k2"
			})(s)
			s.buckets("search", "k2", 28, from, func(_ history.Offset, c *history.Counts) { c.Credential = "k1" })
			if from < 61 {
				s.add(emitting(at(from), "search", "k2"))
			}
			refuse("search", "k1", 41, from, 10)(s)
		}
	}
	unsaid := without(func(e history.Event) bool { return e.Kind == history.KindEmitting })
	wantFound(t, "auth-failures-flat", "search", []found{
		{"read in time, and used late", []change{uses(48), reads(28.5)}, judge.CauseOutlived, "search",
			"it read what is published 30s after the emit, and presented k1 until 20m after it: it still sends what it made before, as from a queue", "revoke at least 20m30s after the emit"},
		{"read in time, and used late by one that does not say when it switches", []change{uses(48), reads(28.5), unsaid}, judge.CauseOutlived, "search",
			"it read what is published 30s after the emit, and presented k1 until 20m after it: it still sends what it made before, as from a queue", "to tell which of the two it is, look up when what it sent with k1 at 48m was made, before it read what is published at 28m30s (it queues) or after (it uses late what it reads)"},
		{"read in time, and never used", []change{uses(61), reads(28.5)}, judge.CauseNotSwitched, "search", "it read what is published 30s after the emit, and presented k1 32m30s after it and never k2: it does not use what it reads, or it still sends what it made before", "revoke more than 33m after the emit (overlap.window); nothing says when search made what it sends: to tell which of the two it is"},
		{"read late", []change{uses(48), reads(47.9)}, judge.CauseNotSwitched, "search", "it switched 20m after the emit", "make search take what is published every 30s as the page says"},
		{"nobody sees it read", []change{uses(48)}, judge.CauseNotSwitched, "search", "", "make search take what is published"},
	})
}

// TestOneAtATime: who refuses the new one until it takes it, and from then on the old one,
// has room for one, also where nobody sees what it was given.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	blind := []change{searchLearns(0), withoutFetchAt(4), withoutProbes("search", history.Canary)}
	refused := refuse("app", "k1", 28.5, 36.5, 5)
	still := func(outcome history.Outcome) change {
		return func(s *story) {
			for range 8 {
				s.add(probe(at(40), "search", "k1", history.Still, outcome))
			}
		}
	}
	row := func(changes ...change) []change { return append(blind[:3:3], changes...) }
	wantFound(t, "auth-failures-flat", "app", []found{
		{"as one", row(canaries(27, "nnnnnnnn"), refused), judge.CauseOneSlot, "search",
			"search refused k2 in all of 8 answers at the end of the lead, and k1 from its switch on, before it was revoked: it takes one at a time", "no lead or window is long enough"},
		{"as one, by what it answers before the revoke", row(canaries(27, "nnnnnnnn"), refuse("app", "k2", 28.4, 28.7, 5), still(history.AuthFailure)), judge.CauseOneSlot, "search",
			"and k1 in all of 8 after the emit, before it was revoked: it takes one at a time", "no lead or window is long enough"},
		{"it takes the old one before the revoke", row(canaries(27, "nnnnnnnn"), refuse("app", "k2", 28.4, 28.7, 5), still(history.OK)), judge.CauseUnknown, "search", "", ""},
		{"it took the canary", row(canaries(27, "yyyyyyyy"), refused), judge.CauseUnknown, "search", "", ""},
		{"it refused the old one long after it took the new one", row(canaries(27, "nnnnnnnn"), refuse("app", "k1", 33, 36.5, 5)), judge.CauseUnknown, "search", "", ""},
		{"the set has one at a time", row(canaries(27, "nnnnnnnn"), refused, looked(0, "auth", key1), looked(28.4, "auth", key2)), judge.CauseNotInSet, "auth", "", "let auth publish every accepted key"},
		{"the set has both", row(canaries(27, "nnnnnnnn"), refused, looked(0, "auth", key1), looked(10.5, "auth", key1, key2)), judge.CauseOneSlot, "search", "", ""},
		{"its fetches are seen", []change{withoutProbes("search", history.Canary), canaries(27, "nnnnnnnn"), refused}, judge.CauseUnknown, "search", "", ""},
	})
}

// TestOldConnections: who serves its callers on connections of the old credential is no job that did not
// run, and of who says no name when it logs in a pooler on its way may be at fault.
func TestOldConnections(t *testing.T) {
	t.Parallel()
	pool := func(s *story) {
		atTheAuthority(s)
		s.limits.Family = "database-password"
		silent("search", 15, 40.5)(s)
		without(func(e history.Event) bool { return e.Kind == history.KindEmitting && e.At > 0 })(s)
		s.buckets("search", "", 40, 61, func(_ history.Offset, c *history.Counts) { c.Credential = "k1" })
		refuse("search", "k1", 40.5, 61, 10)(s)
	}
	job := func(s *story) { silent("app", 15, 40.5)(s) }
	nameless := func(s *story) {
		for i, e := range s.events {
			if e.Kind == history.KindEmitting {
				s.events[i].What = history.ByNoName
			}
		}
	}
	wantFound(t, "auth-failures-flat", "search", []found{
		{"it served on them", []change{pool}, judge.CauseNotSwitched, "search", "it served its callers on connections that it had made with k1, and opened no new ones", "close connections that are as old as the page says"},
		{"it did not run", []change{pool, job}, judge.CauseNotSwitched, "search", "it was not seen to present anything between the emit and the revoke", "have it run once in the window"},
		{"it says no name", []change{pool, nameless}, judge.CauseNotSwitched, "search", "or a pooler that connects for search did: the login has no application name", "if a pooler, rotate its login too"},
	})
}
