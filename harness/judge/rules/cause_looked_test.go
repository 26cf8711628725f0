package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// looked adds what was found at a service's key set.
func looked(moment float64, service string, keys ...history.Key) change {
	return add(history.Event{At: at(moment), Kind: history.KindLooked, Service: service,
		Set: &history.KeySet{Status: "200", Took: 2 * millisecond, Looks: 1, Slowest: 2 * millisecond, Keys: keys}})
}

// answered adds a look that took its time, or found no set, on a party's way.
func answered(moment float64, service, reader, status string, took time.Duration) change {
	return add(history.Event{At: at(moment), Kind: history.KindLooked, Service: service, Reader: reader,
		Set: &history.KeySet{Status: status, Took: history.Offset(took), Looks: 1, Slowest: history.Offset(took)}})
}

// The keys of a set, as a look finds them.
var (
	key1  = history.Key{Kid: "kid-k1", Credential: "k1", Kty: "EC", Crv: "P-256", Alg: "ES256", Use: "sig", Print: "01"}
	key2  = history.Key{Kid: "kid-k2", Credential: "k2", Kty: "EC", Crv: "P-256", Alg: "ES256", Use: "sig", Print: "02"}
	other = history.Key{Kid: "other-1", Kty: "OKP", Crv: "Ed25519", Alg: "EdDSA", Print: "03"}
)

// but is a key with something changed.
func but(k history.Key, change func(*history.Key)) history.Key {
	change(&k)
	return k
}

// blindSearch is search of which nobody tells what it fetches.
func blindSearch(s *story) { s.limits.Validators[1].Blind = true }

// search is a team's own, which tells nothing: it learns by expiry, 15 s of wall
// time, and has its set by way of edge.
func behindEdge(s *story) {
	var kept []history.Event
	for _, e := range s.events {
		if (e.Kind == history.KindFetched || e.Kind == history.KindLearned || e.Kind == history.KindForgot) && e.Service == "search" {
			continue
		}
		if e.Kind == history.KindProbe && e.Service == "search" && e.Credential == "k2" {
			continue // what it did not learn it did not take
		}
		kept = append(kept, e)
	}
	s.events = kept
	s.limits.Validators[1].Via, s.limits.Validators[1].Blind = "edge", true
	s.limits.Gateways = []plan.Gateway{{Name: "edge", Of: []string{"auth"}}}
}

// TestSameETag: a set that changed under its ETag is behind one that never learned, and
// blames nobody where the ETag changed, came with no set, or the validator may still learn.
func TestSameETag(t *testing.T) {
	t.Parallel()
	under := func(moment float64, tag string, keys ...history.Key) change {
		return add(history.Event{At: at(moment), Kind: history.KindLooked, Service: "auth", Set: &history.KeySet{Status: "200", Looks: 1, ETag: tag, Keys: keys}})
	}
	alone := func(s *story) { behindEdge(s); s.limits.Validators[1].Via, s.limits.Gateways = "", nil }
	never := refuse("app", "k2", 28.4, 61, 10)
	wantFound(t, "auth-failures-flat", "app", []found{
		{"the same", []change{alone, never, under(1, `"a"`, key1), under(11, `"a"`, key1, key2)}, judge.CauseSameETag, "auth", "auth has it in its set since 11m, under the ETag that the set had without it", "an ETag of its own"},
		{"another", []change{alone, never, under(1, `"a"`, key1), under(11, `"b"`, key1, key2)}, judge.CauseNeverLearned, "search", "", ""},
		{"none", []change{alone, never, under(1, "", key1), under(11, "", key1, key2)}, judge.CauseNeverLearned, "search", "", ""},
		{"the same, and it took it after a while", []change{alone, refuse("app", "k2", 28.4, 34, 10), under(1, `"a"`, key1), under(11, `"a"`, key1, key2)}, judge.CauseStaleCache, "search", "", ""},
	})
}

// TestLookedAt: what was found at each step of the way of a key set says who is
// behind, and since when; a set that has all it must have blames nobody.
func TestLookedAt(t *testing.T) {
	t.Parallel()
	fresh, old := refuse("app", "k2", 30, 36, 2), refuse("app", "k1", 30, 36, 2)
	healthyAuth := []change{looked(0, "auth", key1), looked(10.5, "auth", key1, key2)}
	noalg := but(key2, func(k *history.Key) { k.Alg = "" })
	enc := but(key2, func(k *history.Key) { k.Use, k.Alg = "enc", "ECDH-ES" })
	twin := but(key1, func(k *history.Key) { k.Print = "09" })
	for _, tt := range []struct {
		name     string
		changes  []change
		presents string
		cause    judge.Cause
		consumer string
		says     string
	}{
		{"a key that cannot be read", []change{fresh, looked(0, "edge", key1), looked(11, "edge", key1, key2, other)}, "k2",
			judge.CauseUnusableSet, "edge", "could not use the set since other-1 (OKP Ed25519 EdDSA) is in it, which edge has had since 11m"},
		{"which throws all of it away", []change{old, looked(0, "edge", key1), looked(11, "edge", key1, key2, other)}, "k1", judge.CauseUnusableSet, "edge", ""},
		{"which is the issuer's own", []change{fresh, looked(0, "auth", key1), looked(11, "auth", key1, key2, other), looked(0, "edge", key1), looked(11, "edge", key1, key2, other)}, "k2",
			judge.CauseUnusableSet, "auth", ""},
		{"which was always there", []change{fresh, looked(0, "edge", key1, other), looked(11, "edge", key1, key2, other)}, "k2", judge.CauseUnknown, "search", ""},
		{"which came later", []change{fresh, looked(0, "edge", key1), looked(11, "edge", key1, key2), looked(40, "edge", key1, key2, other)}, "k2", judge.CauseUnknown, "search", ""},
		{"before it had to be read", []change{fresh, looked(0, "edge", key1), looked(25, "edge", key1, key2, other)}, "k2", judge.CauseNotInSet, "edge", ""},
		{"two uses under one kid", []change{fresh, looked(0, "edge", key1), looked(11, "edge", enc, key2, key1)}, "k2", judge.CauseAmbiguousKid, "search",
			"the set of edge has it twice under one kid, as k2 (EC P-256 ECDH-ES, use enc) and as k2 (EC P-256 ES256, use sig)"},
		{"two keys under one kid", []change{old, looked(0, "auth", key1), looked(11, "auth", key1, twin), looked(11, "edge", key1, twin)}, "k1", judge.CauseReusedKid, "auth", "two keys under the name of k1"},
		{"the new one without alg", []change{fresh, looked(0, "auth", key1), looked(11, "auth", key1, key2), looked(0, "edge", key1), looked(11, "edge", key1, noalg)}, "k2",
			judge.CauseNoAlg, "edge", "the set of edge has k2 without an alg, which k1 has"},
		{"none has alg", []change{fresh, looked(0, "edge", but(key1, func(k *history.Key) { k.Alg = "" })), looked(11, "edge", key1, noalg, but(key1, func(k *history.Key) { k.Alg = "" }))}, "k2",
			judge.CauseUnknown, "search", ""},
		{"only what signs", []change{old, looked(0, "auth", key1), looked(28.5, "auth", key2), looked(0, "edge", key1), looked(28.5, "edge", key2)}, "k1", judge.CauseNotInSet, "auth",
			"the set of auth did not have it when looked at from 28m"},
		{"in the gateway's, while the issuer answers with none", []change{fresh, looked(0, "auth", key1), answered(5, "auth", "", "503", time.Millisecond), looked(0, "edge", key1)}, "k2", judge.CauseSourceDown, "auth",
			"the set of edge did not have it when looked at from 12m15s on, and auth itself answered with none then"},
		{"it answered with no set since before that", []change{fresh, looked(0, "edge", key1), answered(0.5, "edge", "", "429", time.Millisecond)}, "k2", judge.CauseUnknown, "search", ""},
		{"never in the gateway's", append([]change{fresh, looked(0, "edge", key1)}, healthyAuth...), "k2", judge.CauseNotInSet, "edge", ""},
		{"one of two answers", append([]change{fresh, limit(func(l *plan.Limits) { l.Gateways[0].Of = []string{"auth", "auth-b"} }), looked(0, "auth-b", key1),
			looked(0, "edge", key1), looked(11, "edge", key1, key2), looked(20, "edge", key1), looked(20.5, "edge", key1, key2), looked(29, "edge", key1)}, healthyAuth...), "k2",
			judge.CauseNotInSet, "auth-b", "edge answers with different sets, and the one that it has from auth-b lacked it"},
		{"all as it must be", append([]change{fresh, looked(0, "edge", key1), looked(10.5, "edge", key1, key2)}, healthyAuth...), "k2", judge.CauseUnknown, "search", ""},
		{"the old one after its revoke", []change{goesOn(37, 50), refuse("app", "k1", 43, 50, 2), looked(0, "edge", key1), looked(11, "edge", key1, key2), looked(41, "edge", key2)}, "k1", judge.CauseOutlived, "app", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var found []judge.Finding
			for _, f := range judged(t, append([]change{behindEdge}, tt.changes...)...).Findings {
				if f.RuleID == "auth-failures-flat" && f.Credential == tt.presents {
					found = append(found, f)
				}
			}
			if len(found) != 1 || found[0].Cause != tt.cause || found[0].Consumer != tt.consumer || !strings.Contains(found[0].Message, tt.says) {
				t.Errorf("got %+v, want one of cause %s, with %s to look at, that says %q", found, tt.cause, tt.consumer, tt.says)
			}
		})
	}
}

// TestSlowSet: a key set that is answered late is told of where callers had to
// wait for it, with how late; one that was slow at another time is not.
func TestSlowSet(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		changes []change
		cause   judge.Cause
		says    string
	}{
		{"on the validator's own way", []change{answered(20, "edge", "search", "200", 3*time.Millisecond), answered(32, "edge", "search", "200", 2500*time.Millisecond)},
			judge.CauseSlowSet, "the key set of edge, which search has to wait for, took 2.5s to answer, and 3ms before"},
		{"no set at all", []change{answered(32, "edge", "", "timeout", 5*time.Second)}, judge.CauseSlowSet, "gave no set (timeout after 5s)"},
		{"on another's way", []change{answered(32, "edge", "checkout", "200", 2500*time.Millisecond)}, judge.CauseServiceDown, ""},
		{"at another time", []change{answered(12, "edge", "search", "200", 2500*time.Millisecond)}, judge.CauseServiceDown, ""},
		{"quick", []change{answered(32, "edge", "search", "200", 300*time.Millisecond)}, judge.CauseServiceDown, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var found []judge.Finding
			for _, f := range judged(t, append([]change{behindEdge, unavailable("app", 30, 36)}, tt.changes...)...).Findings {
				if f.RuleID == "availability" {
					found = append(found, f)
				}
			}
			if len(found) != 1 || found[0].Cause != tt.cause || !strings.Contains(found[0].Message, tt.says) {
				t.Errorf("got %+v, want one of cause %s that says %q", found, tt.cause, tt.says)
			}
		})
	}
}

// TestGateLooksBehindTheCanary: a verifier that refuses the canary since its set came
// without the new key is not who the gate names; one whose set has it is.
func TestGateLooksBehindTheCanary(t *testing.T) {
	t.Parallel()
	refused := func(s *story) {
		withoutProbes("search", history.Canary)(s)
		for i := range 8 {
			s.add(probe(at(27.5)+history.Offset(i)*millisecond, "search", "k2", history.Canary, history.AuthFailure))
		}
		s.add(history.Event{At: at(27.8), Kind: history.KindGate, Phase: history.Verify,
			Gate: &history.Gate{Phase: history.Verify, Mode: "enforce", Consumer: "search", Detail: "search refuses k2"}})
		s.add(history.Event{At: at(27.9), Kind: history.KindStep, Phase: history.Rollback, Step: "withdraw", Credential: "k2"})
	}
	auth := []change{behindEdge, refused, looked(0, "auth", key1), looked(10.5, "auth", key1, key2), looked(0, "edge", key1)}
	for _, tt := range []struct {
		name     string
		changes  []change
		consumer string
		says     string
	}{
		{"the set of edge lacks it", auth, "edge", "the gate of verify stopped the rotation: search refuses k2: the set of edge did not have it"},
		{"the set of edge has it", append(slices.Clone(auth), looked(11, "edge", key1, key2)), "search", "the gate of verify stopped the rotation: search refuses k2"},
	} {
		v := judged(t, tt.changes...)
		i := slices.IndexFunc(v.Findings, func(f judge.Finding) bool { return f.RuleID == "gates" && f.Level == judge.Error })
		if i < 0 || v.Findings[i].Consumer != tt.consumer || !strings.HasPrefix(v.Findings[i].Message, tt.says) {
			t.Errorf("%s: got %+v, want %s named: %q", tt.name, v.Findings, tt.consumer, tt.says)
		}
	}
}

// TestSetTurnedAway: a validator of which nobody sees the fetches, and which refuses all that it had taken while
// its source answers 429, has dropped its set; one that refuses one credential alone has not.
func TestSetTurnedAway(t *testing.T) {
	t.Parallel()
	limited := []change{blindSearch, withoutKind(history.KindFetched, "search"), looked(0, "auth", key1), answered(19, "auth", "", "429", time.Millisecond), refuse("app", "k1", 19.2, 24, 10)}
	wantFound(t, "auth-failures-flat", "app", []found{
		{"it refuses all", limited, judge.CauseTurnedAway, "auth", "it keeps no set when a fetch fails", "let search keep the set that it has"},
		{"it takes the new one meanwhile", append(slices.Clone(limited), asks(20, history.Canary, history.OK), asks(21, history.Canary, history.OK)), judge.CauseUnknown, "search", "", ""},
		{"looked at without that", []change{blindSearch, withoutKind(history.KindFetched, "search"), looked(0, "auth", key1), refuse("app", "k1", 19.2, 24, 10)}, judge.CauseUnknown, "search", "", ""},
		{"long before", []change{blindSearch, withoutKind(history.KindFetched, "search"), looked(0, "auth", key1), answered(9, "auth", "", "429", time.Millisecond), refuse("app", "k1", 19.2, 24, 10)}, judge.CauseUnknown, "search", "", ""},
	})
}
