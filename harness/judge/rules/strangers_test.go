package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// under has app's tokens from one moment to another have a name of their own.
func under(name string, from, to float64) change {
	return func(s *story) {
		for _, credential := range []string{"k1", "k2"} {
			s.buckets("app", credential, from, to, func(_ history.Offset, c *history.Counts) { c.Credential = name })
		}
	}
}

// TestStrangers: who is refused with what is neither the old credential nor the new one is
// refused all the same; who made it is looked at where that was seen to begin meanwhile.
func TestStrangers(t *testing.T) {
	t.Parallel()
	third := func(s *story) { s.add(emitting(at(45), "auth", "y3"), emitting(at(52), "auth", "k2")) }
	refused := refuse("app", "y3", 45, 50, 10)
	twin := history.Key{Kid: "y3", Kty: "EC", Print: "0a"}
	named := func(s *story) {
		without(func(e history.Event) bool { return e.Kind == history.KindEmitting })(s)
		s.add(emitting(0, "auth", "y3"))
	}
	wantFound(t, "auth-failures-flat", "app", []found{
		{"of a third key, for a time", []change{under("y3", 45, 52), third, refused}, judge.CauseOtherRotation, "auth", "app was refused 500 times by search with y3, which is neither k1 nor k2", "let one rotation end"},
		{"of nobody knows whom", []change{under("y3", 45, 52), refused}, judge.CauseUnknown, "search", "and with nothing before", "which key y3 is"},
		{"of all keys, which have one name", []change{named, under("y3", 0, 61), refuse("app", "y3", 28, 40, 5), looked(0, "auth", twin), looked(11, "auth", twin, but(twin, func(k *history.Key) { k.Print = "0b" }))},
			judge.CauseReusedKid, "auth", "gives each of its keys that name", "a name of its own"},
	})
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
	}{
		{"taken", []change{under("y3", 45, 52), third}, judge.Pass},
		{"refused before, too", []change{under("y3", 0, 61), refuse("app", "y3", 0, 61, 5)}, judge.Inconclusive},
		{"of a client without tokens", []change{under("y3", 45, 52), third, refused, limit(func(l *plan.Limits) { l.Clients[0].From = "" })}, judge.Pass},
		{"refused", []change{under("y3", 45, 52), third, refused}, judge.Fail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantRule(t, judged(t, tt.changes...), "auth-failures-flat", tt.want)
		})
	}
}

// TestNamesOfItsOwn: who has names of its own for the keys that it was given rotated nothing
// a second time, and what those names hide is not told.
func TestNamesOfItsOwn(t *testing.T) {
	t.Parallel()
	named := func(s *story) {
		without(func(e history.Event) bool { return e.Kind == history.KindEmitting })(s)
		s.add(emitting(0, "auth", "mine-1"), emitting(at(28.4), "auth", "mine-2"))
	}
	v := judged(t, named, under("mine-1", 0, 28.4), under("mine-2", 28.4, 61), refuseProbes)
	wantRule(t, v, "distribution", judge.Inconclusive)
	wantRule(t, v, "revocation", judge.Inconclusive)
	for _, f := range v.Findings {
		if f.Level == judge.Error {
			t.Errorf("got %s, want nobody named", text(f))
		}
	}
	if !strings.Contains(v.Why, "auth calls what it signs with mine-2") && !strings.Contains(v.Why, "names no credential") {
		t.Errorf("why: got %q, want that its names are its own", v.Why)
	}
}

// refuseProbes has search refuse whatever the harness shows it of the new credential.
func refuseProbes(s *story) {
	withoutProbes("search", history.Canary)(s)
	withoutProbes("search", history.NewAfter)(s)
	s.add(probe(at(28), "search", "k2", history.Canary, history.AuthFailure), probe(at(60.4), "search", "k2", history.NewAfter, history.AuthFailure))
}

// TestOnlyFetched: a fetch alone does not show that a validator takes the new credential:
// what it refused before and after is not for want of a longer lead.
func TestOnlyFetched(t *testing.T) {
	t.Parallel()
	byFetch := func(moment float64) change {
		return func(s *story) {
			searchLearns(0)(s)
			e := learned(at(moment), "search", "k2")
			e.What = history.OfFetch
			s.add(fetched(at(moment), "search", "auth", "k2"), e)
		}
	}
	all := refuse("app", "k2", 28.4, 61, 10)
	refuses := add(probe(at(60.4), "search", "k2", history.NewAfter, history.AuthFailure))
	takes := add(probe(at(60.4), "search", "k2", history.NewAfter, history.OK))
	rsa := looked(11, "auth", key1, but(key2, func(k *history.Key) { k.Kty, k.Alg = "RSA", "RS256" }))
	same := looked(11, "auth", key1, key2)
	wantFound(t, "auth-failures-flat", "app", []found{
		{"and it took none", []change{byFetch(60), withoutProbes("search", history.NewAfter), all, refuses}, judge.CauseUnknown, "search", "", ""},
		{"and it took some in the end", []change{byFetch(60), withoutProbes("search", history.NewAfter), all, takes}, judge.CauseStaleCache, "search", "", ""},
		{"and the key is of another type", []change{looked(0, "auth", key1), rsa, byFetch(60), withoutProbes("search", history.NewAfter), all, refuses},
			judge.CauseWrongAlgorithm, "auth", "auth made k2 of the type RS256, and k1 of ES256", "no lead is long enough"},
		{"and the key is of the same type", []change{looked(0, "auth", key1), same, byFetch(60), withoutProbes("search", history.NewAfter), all, refuses}, judge.CauseUnknown, "search", "", ""},
	})
}

// TestLearnedByTheRevoke: who took the new credential only once the old one was gone may need
// more than a longer lead, and is not told that one is enough.
func TestLearnedByTheRevoke(t *testing.T) {
	t.Parallel()
	blind := func(s *story) {
		searchLearns(0)(s)
		without(func(e history.Event) bool {
			return e.Service == "search" && (e.Kind == history.KindFetched || e.Kind == history.KindLearned)
		})(s)
		onSearch(func(v *plan.Validator) { v.Blind, v.Learns, v.Forgets = true, 4*time.Minute, 15*time.Minute })(s)
	}
	wantFound(t, "auth-failures-flat", "app", []found{
		{"with it", []change{blind, refuse("app", "k2", 28.4, 43, 10)}, judge.CauseStaleCache, "search", "took it only when k1 was revoked", "no lead is long enough"},
		{"before it", []change{blind, refuse("app", "k2", 28.4, 36, 10)}, judge.CauseStaleCache, "search", "learned it", "publish"},
	})
}

// TestAnotherKeyInTheSet: an issuer whose set has another key under the name with which it
// signs is looked at, and not who cannot check what it signed.
func TestAnotherKeyInTheSet(t *testing.T) {
	t.Parallel()
	mismatch := func(service string) change {
		return func(s *story) {
			e := emitting(at(29), service, "k2")
			e.What = history.OfOtherKey
			s.add(e)
		}
	}
	all := refuse("app", "k2", 28.4, 61, 10)
	wantFound(t, "auth-failures-flat", "app", []found{
		{"its own", []change{searchLearns(0), all, mismatch("auth")}, judge.CauseReusedKid, "auth", "auth has another key in its set under the name of k2", "publish the key with which it signs"},
		{"another issuer's", []change{searchLearns(0), all, mismatch("partner")}, judge.CauseNeverLearned, "search", "", ""},
	})
}
