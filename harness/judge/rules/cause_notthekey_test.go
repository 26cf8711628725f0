package rules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// TestNotTheKey: who takes the new key from the harness has learned it, and what it refuses
// of an issuer of the team's own it refuses for something else; who refused the canary, or
// stops to refuse, is no case of it.
func TestNotTheKey(t *testing.T) {
	t.Parallel()
	taken := func(s *story) {
		behindEdge(s)
		s.limits.Validators[1].Via, s.limits.Gateways = "", nil
		s.add(probe(at(28), "search", "k2", history.Canary, history.OK))
		some(60.1, history.NewAfter, 20, 0)(s)
	}
	own := func(s *story) { looked(0, "auth", key1)(s); looked(10.5, "auth", key1, key2)(s) }
	canary := func(outcome history.Outcome) change {
		return func(s *story) {
			withoutProbes("search", history.Canary)(s)
			s.add(probe(at(28), "search", "k2", history.Canary, outcome))
		}
	}
	all, half := refuse("app", "k2", 28.5, 61, 10), refuse("app", "k2", 28.5, 61, 5)
	wantFound(t, "auth-failures-flat", "app", []found{
		{"all that the issuer signs", []change{taken, own, all}, judge.CauseNotTheKey, "auth", "search takes k2 when the harness signs with it, and refuses", "claim by claim"},
		{"half of it, beside as much that is taken", []change{taken, own, half}, judge.CauseNotTheKey, "auth", "", ""},
		{"half of it, and of what the harness shows", []change{taken, own, half, some(60.2, history.NewAfter, 10, 10)}, judge.CauseSomeReplicas, "search", "", ""},
		{"of a stand-in, which signs as before", []change{taken, all}, judge.CauseUnknown, "search", "", ""},
		{"and the canary too", []change{taken, own, canary(history.AuthFailure), all, withoutProbes("search", history.NewAfter)}, judge.CauseNeverLearned, "search", "", ""},
		{"all of it, but only long after the emit", []change{taken, own, refuse("app", "k2", 45, 61, 10)}, judge.CauseUnknown, "search", "", ""},
		{"for some seconds", []change{taken, own, refuse("app", "k2", 29.5, 34, 10)}, judge.CauseUnknown, "search", "", ""},
	})
	for _, f := range judged(t, taken, own, half, refuse("app", "k1", 0.5, 28.4, 5)).Findings {
		if f.Cause == judge.CauseNotTheKey {
			t.Errorf("as much was refused before anything was changed: got %q, which is about the tokens of the new key", f.Message)
		}
	}
}

// TestHandedOn: who hands on what it is shown is not blamed for who is behind it, unless that
// took the canary, or the front one is seen not to have fetched.
func TestHandedOn(t *testing.T) {
	t.Parallel()
	front := func(s *story) {
		behindEdge(s)
		s.limits.Validators[1].Via, s.limits.Gateways = "", nil
		s.limits.Validators[1].Hands = []string{"stock"}
		s.limits.Validators = append(s.limits.Validators, plan.Validator{Name: "stock", OnPage: true, From: "auth", Blind: true, Learns: s.limits.Validators[1].Learns, Forgets: s.limits.Validators[1].Forgets})
		s.add(probe(at(28), "search", "k2", history.Canary, history.AuthFailure))
	}
	behind := func(outcome history.Outcome) change {
		return add(probe(at(28), "stock", "k2", history.Canary, outcome))
	}
	late := refuse("app", "k2", 28.4, 34, 10)
	wantFound(t, "auth-failures-flat", "app", []found{
		{"the one behind refused it too", []change{front, behind(history.AuthFailure), late}, judge.CauseStaleCache, "stock", "stock, whose address search has in its settings, refused it as well", "publish more than 24m29s"},
		{"of a front that checks nothing itself", []change{front, behind(history.AuthFailure), late, limit(func(l *plan.Limits) {
			l.Validators[1].Hands, l.Validators[2].Fronts = nil, []string{"search"}
		})}, judge.CauseStaleCache, "stock", "stock, whose address search has in its settings, refused it as well", "publish more than 24m29s"},
		{"the one behind took it", []change{front, behind(history.OK), late}, judge.CauseStaleCache, "search", "", ""},
		{"the front one is seen to fetch too late", []change{front, behind(history.AuthFailure), late, add(fetched(at(4), "search", "auth", "k1"), fetched(at(34), "search", "auth", "k1", "k2"), learned(at(34), "search", "k2"))}, judge.CauseStaleCache, "search", "", ""},
	})
}

// TestWentOnRefusing: who fetched the new key and refused it for some time more is told so: its
// lead alone does not say for how long others were refused.
func TestWentOnRefusing(t *testing.T) {
	t.Parallel()
	wantFound(t, "auth-failures-flat", "app", []found{
		{"for a while", []change{searchLearns(31), refuse("app", "k2", 28.4, 40, 10)}, judge.CauseStaleCache, "search", "; it refused it for 8m59s more, like", ""},
	})
	v := judged(t, searchLearns(31), refuse("app", "k2", 28.4, 31.1, 10))
	for _, f := range failing(v) {
		if strings.Contains(f.Message, "all the same") {
			t.Errorf("got %s, want nothing of a time after it learned", text(f))
		}
	}
}

// TestNotRelearned: what is refused when the old credential was accepted again was not outlived
// by anything: who had forgotten it has not learned it anew.
func TestNotRelearned(t *testing.T) {
	t.Parallel()
	again := func(s *story) {
		back(s)
		presents("k1", 47)(s)
		refuse("app", "k1", 47, 59, 10)(s)
	}
	failed := add(history.Event{At: at(50), Kind: history.KindFetchFailed, Service: "search", From: "auth", Detail: "status 503"})
	wantFound(t, "auth-failures-flat", "app", []found{
		{"it did not fetch", []change{again}, judge.CauseNeverLearned, "search", "search had forgotten it, and did not learn it again when it was accepted anew on the way back", "have it fetch anew"},
		{"it got no set", []change{again, failed}, judge.CauseSourceDown, "auth", "it asked auth for the set 5m after that and got none (status 503)", "bring auth back before going back to k1"},
		{"it learned it late", []change{again, add(learned(at(59), "search", "k1"))}, judge.CauseStaleCache, "search", "learned it again only 14m after it was accepted anew", ""},
		{"refused before it was accepted again", []change{again, refuse("app", "k1", 41, 44, 10), presents("k1", 41), refuse("app", "k1", 41, 59, 10)}, judge.CauseNotSwitched, "auth", "", ""},
	}[:3])
}

// TestHeldBackFromLearning: no lead is the cure where a fault kept a validator from learning.
func TestHeldBackFromLearning(t *testing.T) {
	t.Parallel()
	held := func(kind string) change {
		return add(fault(at(10), kind, "search", history.FaultInjected, false), fault(at(10.1), kind, "search", history.FaultEvidence, true), fault(at(31), kind, "search", history.FaultUndone, false))
	}
	late := []change{searchLearns(31.5), refuse("app", "k2", 28.4, 31.5, 10)}
	wantFound(t, "auth-failures-flat", "app", []found{
		{"held back", append([]change{held("hold-back")}, late...), judge.CauseStaleCache, "search", "", "mend what kept search from what is published (here the fault hold-back on search)"},
		{"by nothing", late, judge.CauseStaleCache, "search", "", "publish at least"},
	})
}

// TestOffThePageAndUnbounded: who is not on the page has no bound there, and no lead is called
// enough for it but what it took.
func TestOffThePageAndUnbounded(t *testing.T) {
	t.Parallel()
	unknown := limit(func(l *plan.Limits) {
		v := &l.Validators[1]
		v.OnPage, v.Library, v.Learns, v.Forgets = false, "", runbook.Forever, runbook.Forever
	})
	wantFound(t, "auth-failures-flat", "app", []found{
		{"it learned late", []change{unknown, searchLearns(31.5), refuse("app", "k2", 28.4, 31.5, 10)}, judge.CauseStaleCache, "search", "", "put search on the page, with how late it learns, and publish more than 22m"},
	})
}

// TestFetchedAndNeverTaken: who fetched the new key and refused it to everybody has not learned
// it; who took it once has.
func TestFetchedAndNeverTaken(t *testing.T) {
	t.Parallel()
	fetches := func(s *story) {
		searchLearns(0)(s)
		withoutProbes("search", history.Canary)(s)
		withoutProbes("search", history.NewAfter)(s)
		e := learned(at(15), "search", "k2")
		e.What = history.OfFetch
		s.add(e, fetched(at(15), "search", "auth", "k1", "k2"), fetched(at(45), "search", "auth", "k2"))
		canaries(27, "nnnnnn")(s)
	}
	const says = "search fetched it 5m after it was accepted, and still refused it from everybody"
	for name, changes := range map[string][]change{
		says:                   {fetches, refuse("app", "k2", 28.4, 61, 10)},
		"one replica of about": {fetches, refuse("app", "k2", 28.4, 61, 9)},
	} {
		found := failing(judged(t, changes...))
		if !slices.ContainsFunc(found, func(f judge.Finding) bool { return strings.Contains(f.Message, name) }) {
			t.Errorf("got %+v, want one that says %q", found, name)
		}
	}
}
