package rules_test

import (
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// withoutFetchAt takes search's fetch of a moment away.
func withoutFetchAt(moment float64) change {
	return without(func(e history.Event) bool {
		return e.Kind == history.KindFetched && e.Service == "search" && e.At == at(moment)
	})
}

// searchKnows gives search's learning of k2 another moment.
func searchKnows(moment float64) change {
	return func(s *story) {
		for i := range s.events {
			if e := &s.events[i]; e.Kind == history.KindLearned && e.Service == "search" && e.Credential == "k2" {
				e.At = at(moment)
			}
		}
	}
}

// startsAt has the baseline begin at another moment.
func startsAt(moment float64) change {
	return func(s *story) {
		for i := range s.events {
			if e := &s.events[i]; e.Kind == history.KindPhase && e.Phase == history.Baseline {
				e.At = at(moment)
			}
		}
	}
}

// keeps is a fetch of search of which it kept something else.
func keeps(moment float64, holds []string, set ...string) change {
	return add(history.Event{At: at(moment), Kind: history.KindFetched, Service: "search", From: "auth", Credentials: set, Holds: holds})
}

// TestFetchedSets: what was fetched and what was kept of it tell of a set that
// could not be read, and of two keys of one name.
func TestFetchedSets(t *testing.T) {
	t.Parallel()
	wantFound(t, "auth-failures-flat", "app", []found{
		{"a stranger in it, and the old set kept", []change{searchLearns(0), keeps(24, []string{"k1"}, "k1", "k2", "odd-1"), refuse("app", "k2", 28.4, 61, 10)},
			judge.CauseUnusableSet, "auth", "kept the one that it had: it could not use the new one since odd-1 is in it, first seen at 24m", "keys that every library here can read"},
		{"what it keeps is in no set any more", []change{searchLearns(0), keeps(24, []string{"k1"}, "k2"), refuse("app", "k2", 28.4, 61, 10)}, judge.CauseUnusableSet, "auth", "", ""},
		{"it keeps one of the set", []change{searchLearns(0), keeps(24, []string{"k1"}, "k1", "k2"), refuse("app", "k2", 28.4, 61, 10)}, judge.CauseOneSlot, "search", "", ""},
		{"two of one name", []change{keeps(26, []string{"k1", "k2", "k2"}, "k1", "k2", "k2"), refuse("app", "k2", 28.4, 61, 10)}, judge.CauseAmbiguousKid, "search", "has 2 keys under the kid of k2", "a kid of its own"},
		{"two of another's name", []change{keeps(26, []string{"k1", "k1", "k2"}, "k1", "k1", "k2"), refuse("app", "k2", 45, 46, 10)}, judge.CauseUnknown, "search", "", ""},
	})
}

// TestTokenCache: who takes a token although it fetched the set without the key
// keeps tokens, or the key; a token that it cannot have kept tells which.
func TestTokenCache(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Cause
	}{
		{"it had fetched the set without it", []change{still(0, 41, 50, 60.4), add(fetched(at(45), "search", "auth", "k2"))}, judge.CauseTokenCache},
		{"and refused one that was signed since", []change{still(0, 41, 50, 60.4), add(fetched(at(45), "search", "auth", "k2")), asks(60.45, history.Anew, history.AuthFailure)}, judge.CauseTokenCache},
		{"and took one that was signed since", []change{still(0, 41, 50, 60.4), add(fetched(at(45), "search", "auth", "k2")), asks(60.45, history.Anew, history.OK)}, judge.CauseSetNotUsed},
		{"it had not fetched since", []change{still(0, 41, 50, 60.4)}, judge.CauseKeptRevoked},
		{"nobody sees what it fetches, and it refused one that was signed since", []change{blindSearch, withoutKind(history.KindFetched, "search"), still(0, 41, 50, 60.4), asks(60.45, history.Anew, history.AuthFailure)}, judge.CauseTokenCache},
		{"nobody sees what it fetches, and it was shown no other", []change{blindSearch, withoutKind(history.KindFetched, "search"), still(0, 41, 50, 60.4)}, judge.CauseKeptRevoked},
		{"it was still in the set", []change{still(0, 41, 50, 60.4), add(fetched(at(45), "search", "auth", "k1", "k2"))}, judge.CauseKeptRevoked},
		{"taken a moment after the fetch", []change{still(60, 41, 58.9, 59.9), add(fetched(at(59), "search", "auth", "k2"))}, judge.CauseKeptRevoked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found := failing(judged(t, tt.changes...))
			if len(found) != 1 || found[0].RuleID != "revocation" || found[0].Cause != tt.want || found[0].Consumer != "search" {
				t.Errorf("got %+v, want one of search's with cause %s", found, tt.want)
			}
		})
	}
}

// TestPublishedElsewhere: who takes what was signed after the revoke may have the key from another set that it
// fetches too, and is not to blame for that.
func TestPublishedElsewhere(t *testing.T) {
	t.Parallel()
	kept := []change{still(0, 41, 50, 60.4), add(fetched(at(45), "search", "auth", "k2")), asks(60.45, history.Anew, history.OK),
		limit(func(l *plan.Limits) { l.Gateways = append(l.Gateways, plan.Gateway{Name: "partner"}) })}
	wantFound(t, "revocation", "", []found{
		{"another set has it", append(slices.Clone(kept), looked(45, "partner", key1)), judge.CauseLatePublish, "partner", "partner, whose key set is fetched here too, still publishes it", "out of the key set of partner"},
		{"another set had it", append(slices.Clone(kept), looked(45, "partner", key1), looked(50, "partner", key2)), judge.CauseSetNotUsed, "search", "it keeps the key whatever it fetches", ""},
	})
}

// TestSetNotUsed: who fetched the new key, never took it, and takes the old one to
// the end by what it cannot have kept, goes on with what it had.
func TestSetNotUsed(t *testing.T) {
	t.Parallel()
	// It tells nothing itself: that it learned is known by its fetch.
	fetches := func(s *story) {
		searchLearns(0)(s)
		s.add(fetched(at(24), "search", "auth", "k1", "k2"), fetched(at(45), "search", "auth", "k2"),
			history.Event{At: at(24), Kind: history.KindLearned, Service: "search", Credential: "k2", What: history.OfFetch})
	}
	never := []change{fetches, withoutProbes("search", history.Canary), withoutProbes("search", history.NewAfter), refuse("app", "k2", 28.4, 61, 10), still(0, 41, 60.4)}
	wantFound(t, "auth-failures-flat", "app", []found{
		{"it takes what was signed with the old one since", append(slices.Clone(never), asks(60.45, history.Anew, history.OK)), judge.CauseSetNotUsed, "search",
			"it goes on with the keys that it had, whatever it fetches", "no lead is long enough"},
		{"it refuses that", append(slices.Clone(never), asks(60.45, history.Anew, history.AuthFailure)), judge.CauseUnknown, "search", "", ""},
		{"it took the new one once", append(slices.Clone(never), asks(60.45, history.Anew, history.OK), asks(28, history.Canary, history.OK)), judge.CauseUnknown, "search", "", ""},
	})
}

// TestNotActiveYet: a consumer that fails from its switch on, while nothing of it
// comes to the authority until the new one is taken there, is not the one to look at.
func TestNotActiveYet(t *testing.T) {
	t.Parallel()
	nothing := without(func(e history.Event) bool {
		return e.Kind == history.KindCounts && e.Counts.Presenter == "search" && e.At >= at(28.4) && (e.At < at(34) || e.Counts.Credential == "k1")
	})
	fails := instead("app", "", "502", 28.5, 34, 10)
	wantFound(t, "availability", "app", []found{
		{"taken after a while", []change{atTheAuthority, nothing, fails}, judge.CauseNotActive, "provider", "no request of search reached provider from its switch until k2 was first taken there, 6m after it was emitted", "emit only when it is taken"},
		{"it came there meanwhile", []change{atTheAuthority, fails}, judge.CauseFailing, "search", "", ""},
		{"it failed before", []change{atTheAuthority, nothing, instead("app", "", "502", 26, 34, 10)}, judge.CauseFailing, "search", "", ""},
	})
}

// TestNotDestroyed: what is revoked and cannot be removed is a finding.
func TestNotDestroyed(t *testing.T) {
	t.Parallel()
	fails := func(s *story) {
		for i := range s.events {
			if e := &s.events[i]; e.Kind == history.KindStep && e.Step == "destroy" {
				e.Detail = "destroy k1 at db: some objects depend on it"
			}
		}
	}
	v := judged(t, fails)
	wantSaid(t, v, "revocation", "k1 is refused everywhere and could not be removed: destroy k1 at db: some objects depend on it")
	v = judged(t, fails, add(step(at(60.5), history.Watch, "destroy", "k1")))
	wantRule(t, v, "revocation", judge.Pass)
}
