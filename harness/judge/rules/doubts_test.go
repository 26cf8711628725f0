package rules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// saysHow has the scenario say how a service refuses.
func saysHow(service string) change {
	return func(s *story) { s.limits.Refusals = append(s.limits.Refusals, service) }
}

// TestUnreadable: who takes what nobody gave and was never seen to refuse is not
// called flat, and is not blamed for keeping a key; who was seen to refuse is.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	silent := still(0, 41, 50, 60.4)
	for _, tt := range []struct {
		name    string
		changes []change
		verdict judge.Outcome
		says    string // of the rule of flatness, or of the finding
	}{
		{"it takes everything", []change{silent, asks(60.45, history.MadeUp, history.OK)}, judge.Inconclusive, "nothing shows how it refuses"},
		{"it takes everything, and the scenario says how it refuses", []change{silent, saysHow("search"), asks(60.45, history.MadeUp, history.OK)}, judge.Inconclusive, "no answer of it was one that services.search.refusal calls a refusal"},
		{"it takes everything while its keys are out of reach", []change{silent, asks(60.45, history.MadeUp, history.OK), add(fault(at(40), "jwks", "auth", history.FaultInjected, false), fault(at(40.1), "jwks", "auth", history.FaultEvidence, true), fault(at(60.46), "jwks", "auth", history.FaultUndone, false))}, judge.Inconclusive,
			"or it lets everybody in, perhaps only while it gets no keys; the fault jwks on auth was in effect"},
		{"its log alone tells of refusals", []change{silent, asks(60.45, history.MadeUp, history.OK), inItsLog(35, 10)}, judge.Inconclusive, "; its log tells of 10 refusals between the emit and the revoke: it answers before it checks"},
		{"its log tells of refusals after the revoke", []change{silent, asks(60.45, history.MadeUp, history.OK), inItsLog(50, 10)}, judge.Inconclusive, "or it lets everybody in"},
		{"it refuses what nobody gave", []change{silent, asks(60.45, history.MadeUp, history.AuthFailure)}, judge.Fail, "search still took k1"},
		{"it gave no answer to that", []change{silent, asks(60.45, history.MadeUp, history.Unavailable)}, judge.Fail, "search still took k1"},
		{"it was seen to refuse a client", []change{silent, refuse("app", "k2", 28.4, 29, 10), asks(60.45, history.MadeUp, history.OK)}, judge.Fail, "it takes a credential that nobody issued, too"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			var said []string
			for _, r := range v.Rules {
				said = append(said, r.Detail)
			}
			for _, f := range v.Findings {
				said = append(said, f.Message)
			}
			if v.Verdict != tt.verdict || !strings.Contains(strings.Join(said, "\n"), tt.says) {
				t.Errorf("got %s, %q, want %s that says %q", v.Verdict, said, tt.verdict, tt.says)
			}
			if flat := rule(t, v, "auth-failures-flat").Outcome; tt.verdict == judge.Inconclusive && flat != judge.Inconclusive {
				t.Errorf("flat: got %s, want %s", flat, judge.Inconclusive)
			}
		})
	}
}

// TestTakesSpoilt: who takes the new credential with its signature spoilt, and is known to
// refuse, is named, whatever else it did; where nothing shows how it refuses nobody can tell.
func TestTakesSpoilt(t *testing.T) {
	t.Parallel()
	control := func(moment float64, outcome history.Outcome) change {
		e := probe(at(moment), "search", "", history.Control, outcome)
		e.Probe.Presentation = "token whose signature is spoilt"
		return add(e)
	}
	never := without(func(e history.Event) bool {
		return e.Kind == history.KindProbe && e.Service == "search" && e.Probe.Outcome == history.AuthFailure
	})
	for _, tt := range []struct {
		name    string
		changes []change
		verdict judge.Outcome
		says    string
	}{
		{"it refuses that", []change{control(27.5, history.AuthFailure), control(60.45, history.AuthFailure)}, judge.Pass, ""},
		{"it gives no answer", []change{control(27.5, history.Unavailable)}, judge.Pass, ""},
		{"it takes that at the canary", []change{control(27.5, history.OK), control(60.45, history.AuthFailure)}, judge.Fail, "search took a token whose signature is spoilt, 1 of 2 times, last in verify"},
		{"it takes that at the end", []change{control(60.45, history.OK)}, judge.Fail, "1 of 1 times, last in watch"},
		{"while its keys are out of reach", []change{control(27.5, history.OK), add(fault(at(26), "jwks", "auth", history.FaultInjected, false), fault(at(26.1), "jwks", "auth", history.FaultEvidence, true), fault(at(27.7), "jwks", "auth", history.FaultUndone, false))}, judge.Fail,
			"perhaps only while it gets no keys; the fault jwks on auth was in effect"},
		{"it was never seen to refuse", []change{never, still(0, 41, 50, 60.4), control(60.45, history.OK)}, judge.Inconclusive, "nothing shows how it refuses"},
		{"it keeps the old one, takes what nobody gave, and refuses that", []change{control(27.5, history.AuthFailure), still(0, 41, 50, 60.4), asks(60.45, history.MadeUp, history.OK)}, judge.Fail,
			"and refused a token whose signature is spoilt: it lets in whatever is signed with a key that it does not know"},
		{"it keeps the old one, and took that before", []change{control(27.5, history.OK), still(0, 41, 50, 60.4), asks(60.45, history.MadeUp, history.AuthFailure)}, judge.Fail, "search still took k1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			said := []string{rule(t, v, "auth-failures-flat").Detail}
			for _, f := range v.Findings {
				said = append(said, f.Message)
				if f.Validator != "search" {
					t.Errorf("named %s, want search: %s", f.Validator, f.Message)
				}
			}
			if v.Verdict != tt.verdict || !strings.Contains(strings.Join(said, "\n"), tt.says) {
				t.Errorf("got %s, %q, want %s that says %q", v.Verdict, said, tt.verdict, tt.says)
			}
			if flat := rule(t, v, "auth-failures-flat").Outcome; tt.verdict != judge.Pass && !strings.HasPrefix(tt.name, "it keeps the old one") && flat != judge.Inconclusive {
				t.Errorf("flat: got %s, want %s", flat, judge.Inconclusive)
			}
		})
	}
}

// TestKeptBehind: of who has its set by a gateway, and is not seen to ask for it, nobody can tell
// which of the two kept the revoked key; who is seen to ask is named alone.
func TestKeptBehind(t *testing.T) {
	t.Parallel()
	through := func(s *story) {
		behindEdge(s)
		s.limits.Validators[1].Through = "edge"
		still(0, 41, 50, 60.4)(s)
	}
	for _, tt := range []struct {
		name    string
		changes []change
		says    string
	}{
		{"it fetched meanwhile", []change{through, add(fetched(at(2), "edge", "auth", "k1")), add(fetched(at(46.5), "edge", "auth", "k2"))}, "; it gets its set through edge, which fetched one without k1 6m after the revoke: no log shows whether edge answered with an older copy"},
		{"it did not", []change{through, add(fetched(at(2), "edge", "auth", "k1"))}, "; it gets its set through edge, which had fetched no set without k1 by then"},
		{"what it asks for is seen", []change{through, add(fetched(at(2), "edge", "auth", "k1")), limit(func(l *plan.Limits) { l.Validators[1].Blind = false })}, ""},
		{"it had another one to the end", []change{through, add(fetched(at(46.5), "edge", "auth", "k2")), looked(41, "auth", key2), looked(60.5, "edge", key2)}, "no log shows whether edge answered with an older copy"},
		{"it had the old one to the end", []change{through, looked(41, "auth", key2), looked(60.5, "edge", key1)}, "; the set of edge, where it gets its own, still had k1 when looked at 20m"},
		{"which its issuer had too", []change{through, looked(41, "auth", key1), looked(60.5, "edge", key1)}, ""},
		{"it had the old one at the revoke", []change{through, looked(41, "auth", key2), looked(41, "edge", key1)}, ""},
		{"it answered with an older one before", []change{through, canaries(27, "nnnnnnnn"), add(fetched(at(15), "edge", "auth", "k1", "k2")), add(fetched(at(46.5), "edge", "auth", "k2"))},
			"; edge, where it gets its set, fetched one without k1 6m after the revoke, when asked for it, and answers with the copy that it had: search still refused k2 12m"},
		{"it may have fetched that for a look", []change{through, canaries(27, "nnnnnnnn"), looked(15, "edge", key1, key2), add(fetched(at(15), "edge", "auth", "k1", "k2")), add(fetched(at(46.5), "edge", "auth", "k2"))}, "no log shows whether"},
		{"one of its replicas may have asked for that", []change{through, canaries(27, "nnnnynnn"), add(fetched(at(15), "edge", "auth", "k1", "k2")), add(fetched(at(46.5), "edge", "auth", "k2"))}, "no log shows whether"},
		{"another may have asked for that", []change{through, canaries(27, "nnnnnnnn"), limit(func(l *plan.Limits) { l.Validators[0].Via = "edge" }), add(fetched(at(15), "edge", "auth", "k1", "k2")), add(fetched(at(46.5), "edge", "auth", "k2"))}, "no log shows whether"},
		{"of the gateway nothing is seen", []change{through}, ""},
	} {
		for _, f := range judged(t, tt.changes...).Findings {
			if at := strings.Contains(tt.says, "where it gets its "); f.RuleID == "revocation" && at != (f.Consumer == "edge") {
				t.Errorf("%s: got %s to look at", tt.name, f.Consumer)
			}
			if f.RuleID == "revocation" && (!strings.Contains(f.Message, tt.says) || tt.says == "" && strings.Contains(f.Message, "the set of edge")) {
				t.Errorf("%s: got %q, want %q", tt.name, f.Message, tt.says)
			}
		}
	}
}

// TestKeptByOneOfTwo: of two issuers behind a balancer the one that goes on publishing is to look at where
// the balancer was seen to answer with its set; where it was not, nobody can tell.
func TestKeptByOneOfTwo(t *testing.T) {
	t.Parallel()
	two := func(s *story) {
		behindEdge(s)
		s.limits.Gateways[0].Of = []string{"auth", "auth-b"}
		still(0, 41, 50, 60.4)(s)
		for _, l := range []change{looked(0, "auth", key1), looked(11, "auth", key1, key2), looked(41, "auth", key2), looked(0, "auth-b", key1), looked(30, "auth-b", key1, key2)} {
			l(s)
		}
		s.add(history.Event{At: at(30), Kind: history.KindPublished, Service: "auth-b", Credentials: []string{"k1", "k2"}})
	}
	again := history.Event{At: at(20), Kind: history.KindLooked, Service: "edge", Set: &history.KeySet{Status: "200", Looks: 1, Again: true, Keys: []history.Key{key1}}}
	for _, tt := range []struct {
		name     string
		changes  []change
		consumer string
		says     string
	}{
		{"seen by turns", []change{two, looked(0, "edge", key1), looked(12, "edge", key1, key2), add(again)}, "auth-b", "; auth-b never stopped publishing it"},
		{"a copy of before", []change{two, looked(0, "edge", key1), looked(31, "edge", key1, key2)}, "search", "the set of auth-b still had k1 to the end: no look shows whether edge answers with that one"},
		{"which withdrew it", []change{two, add(again), looked(41, "auth-b", key2), add(history.Event{At: at(41), Kind: history.KindPublished, Service: "auth-b", Credentials: []string{"k2"}})}, "search", ""},
	} {
		found := false
		for _, f := range judged(t, tt.changes...).Findings {
			if f.RuleID == "revocation" {
				found = true
				if f.Consumer != tt.consumer || !strings.Contains(f.Message, tt.says) || tt.says == "" && strings.Contains(f.Message, "auth-b") {
					t.Errorf("%s: got %s, %q, want %s, %q", tt.name, f.Consumer, f.Message, tt.consumer, tt.says)
				}
			}
		}
		if !found {
			t.Errorf("%s: got no finding, want one", tt.name)
		}
	}
}

// TestGateOfOneThatChecksNothing: a gate that stopped at who takes what is spoilt leaves open
// whether it would have been right, where nothing shows how that one refuses.
func TestGateOfOneThatChecksNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		refuses bool
		verdict judge.Outcome
		fix     string
	}{
		{false, judge.Inconclusive, "say how search refuses (services.search.refusal), or have it refuse a credential that nobody issued"},
		{true, judge.Fail, "find out since when search lets requests in unchecked"},
	} {
		v := judged(t, without(func(e history.Event) bool {
			return e.Kind == history.KindProbe && e.Service == "search" && e.Probe.Outcome == history.AuthFailure && !tt.refuses
		}), add(probe(at(27.5), "search", "", history.Control, history.OK)), add(history.Event{At: at(27.8), Kind: history.KindGate, Phase: history.Verify,
			Gate: &history.Gate{Phase: history.Verify, Mode: "enforce", Consumer: "search", Detail: "it takes what is spoilt"}}))
		if v.Verdict != tt.verdict || !slices.ContainsFunc(v.Findings, func(f judge.Finding) bool { return strings.HasPrefix(f.Fix, tt.fix) }) {
			t.Errorf("it refuses: %t: got %s, %+v, want %s with the cure %q", tt.refuses, v.Verdict, v.Findings, tt.verdict, tt.fix)
		}
	}
}

// TestTakesAnyValue: who is shown names and lets one in with a value that nobody gave looks at
// no values: that the old name was refused proves nothing of them, and nobody is blamed.
func TestTakesAnyValue(t *testing.T) {
	t.Parallel()
	named := func(outcome history.Outcome) change {
		return add(probe(at(60.45), "search", "k2", history.MadeUp, outcome))
	}
	for _, tt := range []struct {
		name    string
		changes []change
		verdict judge.Outcome
		says    string
	}{
		{"it lets the name in", []change{named(history.OK)}, judge.Inconclusive, "search let the login of k2 in with a password that nobody issued"},
		{"it refuses the name", []change{named(history.AuthFailure)}, judge.Pass, ""},
		{"it gives no answer", []change{named(history.Unavailable)}, judge.Pass, ""},
		{"it takes the old one to the end, too", []change{still(0, 41, 50, 60.4), named(history.OK), asks(60.45, history.MadeUp, history.OK)}, judge.Fail, "it takes a credential that nobody issued, too"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			said := []string{rule(t, v, "auth-failures-flat").Detail}
			for _, f := range v.Findings {
				said = append(said, f.Message)
			}
			if v.Verdict != tt.verdict || !strings.Contains(strings.Join(said, "\n"), tt.says) {
				t.Errorf("got %s, %q, want %s that says %q", v.Verdict, said, tt.verdict, tt.says)
			}
		})
	}
}

// TestTookAfterAll: when a validator of which nothing is seen but its answers took the
// new credential is known from them, where all were refused until then and none since.
func TestTookAfterAll(t *testing.T) {
	t.Parallel()
	blind := without(func(e history.Event) bool {
		return e.Service == "search" && (e.Kind == history.KindLearned || e.Kind == history.KindFetched || e.Kind == history.KindProbe && e.Credential == "k2")
	})
	seenFetching := func(s *story) { s.add(fetched(at(4), "search", "auth", "k1")) }
	wantFound(t, "auth-failures-flat", "app", []found{
		{"refused, and then taken", []change{blind, refuse("app", "k2", 28.4, 34, 10)}, judge.CauseStaleCache, "search",
			"search learned it 23m59s after it was accepted, and the lead was 18m", "publish more than 24m29s before emitting (lead): no log says how often search reads"},
		{"refused to the end", []change{blind, refuse("app", "k2", 28.4, 61, 10)}, judge.CauseNeverLearned, "search", "search never learned it", ""},
		{"some were taken meanwhile", []change{blind, refuse("app", "k2", 28.4, 34, 2)}, judge.CauseUnknown, "search", "search refused it at times and took it at others", ""},
		{"its fetches are seen", []change{blind, seenFetching, refuse("app", "k2", 28.4, 34, 10)}, judge.CauseNeverLearned, "search", "", ""},
	})
}

// inItsLog adds refusals that the log of search tells of.
func inItsLog(moment float64, n int64) change {
	return func(s *story) {
		c := counts(at(moment), "", "search", "", n)
		c.Counts.Source, c.Counts.OK, c.Counts.AuthFailures = history.FromConsumer, 0, n
		c.Counts.FirstFailure, c.Counts.LastFailure = c.At, c.At
		s.add(c)
	}
}
