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

// searchLearns gives search another moment to learn k2; never, where it is 0. What the
// harness shows it before that it does not take.
func searchLearns(seconds float64) change {
	return func(s *story) {
		without(func(e history.Event) bool {
			return e.Service == "search" && (e.Kind == history.KindLearned && e.Credential == "k2" ||
				e.Kind == history.KindFetched && slices.Contains(e.Credentials, "k2"))
		})(s)
		without(func(e history.Event) bool {
			return e.Kind == history.KindProbe && e.Service == "search" && e.Credential == "k2" && (seconds == 0 || e.At < at(seconds))
		})(s)
		if seconds > 0 {
			s.add(fetched(at(seconds), "search", "auth", "k1", "k2"), learned(at(seconds), "search", "k2"))
		}
	}
}

// publishing is how late auth publishes by the page, and publishedAt when it published k2.
func publishing(page time.Duration) change {
	return limit(func(l *plan.Limits) { l.Emitters[0].Refresh = page })
}

func publishedAt(seconds float64) change {
	return func(s *story) {
		s.events = slices.DeleteFunc(s.events, func(e history.Event) bool { return e.Kind == history.KindPublished && e.At == at(10.2) })
		s.add(published(at(seconds), "auth", "k1", "k2"))
	}
}

// refuseTokens refuses app the old credential in some sessions alone, with tokens that
// were made at one moment each.
func refuseTokens(from, to float64, made map[string]float64) change {
	return func(s *story) {
		s.buckets("app", "k1", from, to, func(at history.Offset, c *history.Counts) {
			for session, issued := range made {
				if c.OK > 0 {
					fail(at, c, session)
					c.Examples = append(c.Examples, history.Example{At: at, Session: session, Status: "401", IssuedAt: history.Offset(issued * float64(time.Second))})
				}
			}
		})
	}
}

// early makes app use k2 and drop k1 as soon as it is accepted plus a lead, in
// seconds, and moves the emit there.
func early(lead float64) change {
	return func(s *story) {
		move(history.KindPhase, "emit", at(10+lead))(s)
		move(history.KindStep, "emit", at(10+lead))(s)
		move(history.KindPhase, "overlap", at(10.5+lead))(s)
		move(history.KindEmitting, "auth", at(10.4+lead))(s)
		s.buckets("app", "k1", 10.4+lead, 28.4, func(_ history.Offset, c *history.Counts) { c.Credential = "k2" })
	}
}

func onSearch(f func(*plan.Validator)) change {
	return limit(func(l *plan.Limits) { f(&l.Validators[1]) })
}

func offPage(v *plan.Validator) { v.OnPage = false }

// revokedAt moves the revoke and the watch.
func revokedAt(seconds float64) change {
	return func(s *story) {
		move(history.KindPhase, "revoke", at(seconds))(s)
		move(history.KindStep, "revoke", at(seconds))(s)
		move(history.KindPhase, "watch", at(seconds))(s)
	}
}

// auth switches at another moment; never, where it is 0.
func switches(seconds float64) change {
	return func(s *story) {
		without(func(e history.Event) bool { return e.Kind == history.KindEmitting && e.Credential == "k2" })(s)
		if seconds > 0 {
			s.add(emitting(at(seconds), "auth", "k2"))
		}
	}
}

// cutFromTheStore has auth's way to the store cut from before the emit on.
func cutFromTheStore(s *story) {
	for _, stage := range []history.Event{
		fault(at(27), "partition", "auth → store", "injected", false), fault(at(27.2), "partition", "auth → store", "evidence", true),
		fault(at(50), "partition", "auth → store", "undone", false),
	} {
		stage.Fault.From, stage.Fault.To = "auth", "store"
		s.add(stage)
	}
}

// onTheWay is a stage of a cache that was switched on between search and auth.
func onTheWay(moment history.Offset, f history.Fault) history.Event {
	f.Kind, f.Target, f.From, f.To = "cache", "search → auth", "search", "auth"
	return history.Event{At: moment, Kind: history.KindFault, Service: f.Target, Fault: &f}
}

// goesOn makes app use k1 instead of k2 from one moment to another.
func goesOn(from, to float64) change {
	return func(s *story) {
		s.buckets("app", "k2", from, to, func(_ history.Offset, c *history.Counts) { c.Credential = "k1" })
	}
}

// otherRotation has another rotation make k3.
func otherRotation(seconds float64) change {
	return add(history.Event{At: at(seconds), Kind: history.KindCredential, Credential: "k3", Identifier: "kid-k3"})
}

// usesOther makes app use k3 instead of k1 from one moment to another.
func usesOther(from, to float64) change {
	return func(s *story) {
		s.buckets("app", "k1", from, to, func(_ history.Offset, c *history.Counts) { c.Credential = "k3" })
	}
}

func learnsOther(seconds float64) change { return add(learned(at(seconds), "search", "k3")) }

func TestCauses(t *testing.T) {
	t.Parallel()
	via := func(v *plan.Validator) { v.Via, v.Shared = "cdn", 10*time.Minute }
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Finding // its times and its message are below
		first   int64
		says    string // of its message
		fix     string
	}{
		{
			"a stale cache",
			[]change{early(5), searchLearns(24.5), refuse("app", "k2", 15, 24.5, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseStaleCache, FirstPhase: "emit"}, 15401,
			"search learned it 14m30s after it was accepted, and the lead was 5m", "publish at least 24m15s before emitting",
		},
		{
			"a cache that was staler than the page says",
			[]change{searchLearns(33), refuse("app", "k2", 28, 33, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseStaleCache, FirstPhase: "emit"}, 28401,
			"search learned it 23m after it was accepted, and the lead was 18m", "publish at least 32m45s before emitting",
		},
		{
			"a stale cache off the page",
			[]change{onSearch(offPage), searchLearns(33), refuse("app", "k2", 28, 33, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseStaleCache, FirstPhase: "emit"}, 28401,
			"search, which is not on the page, learned it 23m after", "publish at least 30m15s",
		},
		{
			"first seen after the revoke",
			[]change{searchLearns(45), refuse("app", "k2", 41, 45, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseStaleCache, FirstPhase: "watch"}, 41001,
			"search learned it 35m after", "publish at least 44m45s",
		},
		{
			"a shared cache",
			[]change{onSearch(via), searchLearns(33), add(fetched(at(27), "search", "cdn", "k1")), refuse("app", "k2", 28, 33, 10)},
			judge.Finding{Consumer: "cdn", Credential: "k2", CausedBy: "emit", Cause: judge.CauseSharedCache, FirstPhase: "emit"}, 28401,
			"search fetched the set 17m after k2 was accepted and was answered with an old one from cdn; it learned it 23m after", "publish at least 36m45s before emitting",
		},
		{
			"a shared cache that a fault put there, of which the page knows nothing",
			[]change{
				searchLearns(33), add(fetched(at(27), "search", "cache-search-auth", "k1")), refuse("app", "k2", 28, 33, 10),
				add(onTheWay(at(8), history.Fault{Stage: "injected"}), onTheWay(at(8), history.Fault{Stage: "evidence", Took: true}), onTheWay(at(31), history.Fault{Stage: "undone"})),
			},
			judge.Finding{Consumer: "cache-search-auth", Credential: "k2", CausedBy: "emit", Cause: judge.CauseSharedCache, FirstPhase: "emit"}, 28401,
			"answered with an old one from cache-search-auth; it learned it 23m after it was accepted; the fault cache on search → auth was in effect from 8m until 31m",
			"make cache-search-auth expire its copy sooner",
		},
		{
			"a shared cache that was not asked in time is no shared cache",
			[]change{onSearch(via), searchLearns(33), refuse("app", "k2", 28, 33, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseStaleCache, FirstPhase: "emit"}, 28401,
			"search learned it 23m after", "publish at least 42m45s",
		},
		{
			"published late",
			[]change{searchLearns(33), publishedAt(27), refuse("app", "k2", 28, 33, 10)},
			judge.Finding{Consumer: "auth", Credential: "k2", CausedBy: "emit", Cause: judge.CauseLatePublish, FirstPhase: "emit"}, 28401,
			"auth published it only 17m after it was accepted (the page says 45s), so that search learned it 23m after the start of a lead of 18m", "make auth read the store every 45s as the page says, or emit at least 23m30s after accepting",
		},
		{
			"published when it was in use already, as late as the page allows",
			[]change{searchLearns(31), publishing(25 * time.Minute), publishedAt(30), refuse("app", "k2", 28, 31, 10)},
			judge.Finding{Consumer: "auth", Credential: "k2", CausedBy: "emit", Cause: judge.CauseLatePublish, FirstPhase: "emit"}, 28401,
			"auth published it 20m after it was accepted (the page says 25m), and it was in use after a lead of 18m: search could not have it before", "publish at least 55m before emitting (lead)",
		},
		{
			"published when it was in use already, and learned long after that",
			[]change{searchLearns(55), publishing(25 * time.Minute), publishedAt(30), refuse("app", "k2", 28, 55, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseStaleCache, FirstPhase: "emit"}, 28401,
			"search learned it 45m after it was accepted", "publish at least",
		},
		{
			"tokens that were made as the emitter went over to another key",
			[]change{refuseTokens(28.5, 31, map[string]float64{"app-2": 28.1})},
			judge.Finding{Consumer: "auth", Credential: "k1", CausedBy: "emit", Cause: judge.CauseOldKid, FirstPhase: "overlap"}, 28501,
			"only what auth issued at 28m6s, as it switched to k2, was refused (1 session), and other tokens of k1 were taken throughout", "read a key's kid and its private half together",
		},
		{
			"tokens that were made at some other moment",
			[]change{refuseTokens(28.5, 31, map[string]float64{"app-2": 25})},
			judge.Finding{Consumer: "search", Credential: "k1", CausedBy: "emit", Cause: judge.CauseUnknown, FirstPhase: "overlap"}, 28501,
			"search refused k1 before it was revoked", "look into the log of search",
		},
		{
			"tokens of which only some were made as the emitter went over",
			[]change{refuseTokens(28.5, 31, map[string]float64{"app-2": 28.1, "app-3": 25})},
			judge.Finding{Consumer: "search", Credential: "k1", CausedBy: "emit", Cause: judge.CauseUnknown, FirstPhase: "overlap"}, 28501,
			"search refused k1 before it was revoked", "look into the log of search",
		},
		{
			"a validator that refuses the old one of everybody, just made tokens among them",
			[]change{refuse("app", "k1", 28.5, 31, 10), refuseTokens(28.4, 28.5, map[string]float64{"app-2": 28.1})},
			judge.Finding{Consumer: "search", Credential: "k1", CausedBy: "emit", Cause: judge.CauseUnknown, FirstPhase: "emit"}, 28401,
			"search refused k1 before it was revoked", "look into the log of search",
		},
		{
			"another rotation that emits at once",
			[]change{otherRotation(20), usesOther(20.5, 24), learnsOther(24), refuse("app", "k3", 20.5, 24, 10)},
			judge.Finding{Consumer: "store", Credential: "k3", CausedBy: "second-rotation", Cause: judge.CauseOtherRotation, FirstPhase: "verify"}, 20501,
			"another rotation of the same secret made k3 at 20m and emitted it at once; search learned it 4m later", "let one rotation end before the next begins",
		},
		{
			"another rotation that takes the old one away",
			[]change{otherRotation(20), refuse("app", "k1", 22, 25, 10)},
			judge.Finding{Consumer: "store", Credential: "k1", CausedBy: "second-rotation", Cause: judge.CauseOtherRotation, FirstPhase: "verify"}, 22001,
			"another rotation of the same secret made k3 at 20m, and k1 was removed to make room for it", "let one rotation end before the next begins",
		},
		{
			"another rotation that began after the refusals",
			[]change{otherRotation(27), refuse("app", "k1", 22, 25, 10)},
			judge.Finding{Consumer: "search", Credential: "k1", CausedBy: "accept", Cause: judge.CauseUnknown, FirstPhase: "verify"}, 22001,
			"search refused k1 before it was revoked", "look into the log of search",
		},
		{
			"a source that does not answer",
			[]change{searchLearns(0), func(s *story) {
				s.limits.Validators[1].OnMiss, s.limits.Validators[1].Learns = true, 0
				s.add(history.Event{At: at(30), Kind: history.KindFetchFailed, Service: "search", From: "auth", Detail: "connection refused"})
			}, refuse("app", "k2", 28, 36, 10)},
			judge.Finding{Consumer: "auth", Credential: "k2", CausedBy: "emit", Cause: judge.CauseSourceDown, FirstPhase: "emit"}, 28401,
			"search asked for it, and auth gave no answer", "bring auth back",
		},
		{
			"one slot",
			[]change{searchLearns(33), add(history.Event{At: at(24), Kind: history.KindFetched, Service: "search", From: "auth",
				Credentials: []string{"k1", "k2"}, Holds: []string{"k1"}}), refuse("app", "k2", 28, 33, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseOneSlot, FirstPhase: "emit"}, 28401,
			"search fetched a set with k2 in it and kept only another key", "let search hold every key",
		},
		{
			"never learned",
			[]change{onSearch(offPage), searchLearns(0), refuse("app", "k2", 28, 61, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseNeverLearned, FirstPhase: "emit"}, 28401,
			"search, which is not on the page, never learned it: its last fetch was at 4m", "put search on the page and make it fetch the set again",
		},
		{
			"took only what was signed with the old one too",
			[]change{onSearch(func(v *plan.Validator) { v.Reads = true }), searchLearns(0), withoutKind(history.KindFetched, "search"), proves("k2", 0, history.AuthFailure), add(probe(at(28), "search", "k2", history.Canary, history.AuthFailure)), refuse("app", "k2", 41.5, 61, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseNeverLearned, FirstPhase: "watch"}, 41501,
			"search never took it", "read what is published again",
		},
		{
			"never fetched",
			[]change{searchLearns(0), withoutKind(history.KindFetched, "search"), refuse("app", "k2", 28, 61, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseNeverLearned, FirstPhase: "emit"}, 28401,
			"search never learned it: it fetched no set", "make search fetch",
		},
		{
			"never learned, at a system whose fetches nobody sees",
			[]change{ofATeam, searchLearns(0), withoutKind(history.KindFetched, "search"), refuse("app", "k2", 28, 61, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseNeverLearned, FirstPhase: "emit"}, 28401,
			"search never learned it: no log tells what it fetched, or when", "make search fetch",
		},
		{
			"inside the fetch",
			[]change{func(s *story) { s.limits.Validators[1].OnMiss = true }, searchLearns(28.6), refuse("app", "k2", 28.4, 28.7, 2)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseInsideTheFetch, FirstPhase: "emit"}, 28401,
			"search refuses requests that come during the fetch that the first k2 caused", "show one canary of k2 to every replica of search",
		},
		{
			"cooling down: it fetched too shortly before to fetch again",
			[]change{func(s *story) { s.limits.Validators[1].OnMiss, s.limits.Validators[1].Learns = true, 10*time.Minute },
				add(fetched(at(25), "search", "auth", "k1")), searchLearns(28.6), refuse("app", "k2", 28.4, 28.55, 2), withoutKind(history.KindPublished, "auth")},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseStaleCache, FirstPhase: "emit"}, 28401,
			"search learned it", "publish at least",
		},
		{
			"asked, and got none",
			[]change{searchLearns(31), refuse("app", "k2", 28.4, 31, 10), add(history.Event{At: at(25), Kind: history.KindFetchFailed, Service: "search", From: "auth", Detail: "status 503"})},
			judge.Finding{Consumer: "auth", Credential: "k2", CausedBy: "emit", Cause: judge.CauseSourceDown, FirstPhase: "emit"}, 28401,
			"got none (status 503)", "emit only when search has shown",
		},
		{
			"asked when it met it, and got none",
			[]change{func(s *story) { s.limits.Validators[1].OnMiss, s.limits.Validators[1].Learns = true, 0 }, searchLearns(31), refuse("app", "k2", 28.4, 31, 10),
				add(history.Event{At: at(28.4), Kind: history.KindFetchFailed, Service: "search", From: "auth", Detail: "status 503"})},
			judge.Finding{Consumer: "auth", Credential: "k2", CausedBy: "emit", Cause: judge.CauseSourceDown, FirstPhase: "emit"}, 28401,
			"got none (status 503)", "so that it need not fetch then",
		},
		{
			"a fetch that failed long before it met it",
			[]change{func(s *story) { s.limits.Validators[1].OnMiss, s.limits.Validators[1].Learns = true, 0 }, searchLearns(28.9), refuse("app", "k2", 28.4, 28.9, 10),
				add(history.Event{At: at(24), Kind: history.KindFetchFailed, Service: "search", From: "auth", Detail: "status 503"})},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseInsideTheFetch, FirstPhase: "emit"}, 28401,
			"during the fetch that the first k2 caused", "show one canary",
		},
		{
			"asked, and was answered with an empty set",
			[]change{searchLearns(31), refuse("app", "k2", 28.4, 31, 10), add(fetched(at(25), "search", "auth"))},
			judge.Finding{Consumer: "auth", Credential: "k2", CausedBy: "emit", Cause: judge.CauseNotInSet, FirstPhase: "emit"}, 28401,
			"was answered with an empty set", "an empty set they believe",
		},
		{
			"the old one gone with an empty set",
			[]change{add(fetched(at(24), "search", "auth")), refuse("app", "k1", 24.2, 27, 10)},
			judge.Finding{Consumer: "auth", Credential: "k1", CausedBy: "accept", Cause: judge.CauseNotInSet, FirstPhase: "verify"}, 24201,
			"was answered with an empty set", "an empty set they believe",
		},
		{
			"the old one gone with a copy that ran out",
			[]change{add(history.Event{At: at(24), Kind: history.KindRead, Service: "auth", Reader: "search", What: "jwks", Detail: "503"},
				fault(at(22), "jwks", "auth", "injected", false), fault(at(22.2), "jwks", "auth", "evidence", true), fault(at(28), "jwks", "auth", "undone", false)),
				refuse("app", "k1", 24.2, 27, 10)},
			judge.Finding{Consumer: "auth", Credential: "k1", CausedBy: "jwks", Cause: judge.CauseSourceDown, FirstPhase: "verify"}, 24201,
			"asked auth for the set and got none (503), and no longer had k1", "keep the set that it has",
		},
		{
			"the new one thrown away in an outage",
			[]change{add(history.Event{At: at(32), Kind: history.KindRead, Service: "auth", Reader: "search", What: "jwks", Detail: "503"}),
				refuse("app", "k2", 32.2, 34, 10)},
			judge.Finding{Consumer: "auth", Credential: "k2", CausedBy: "emit", Cause: judge.CauseSourceDown, FirstPhase: "overlap"}, 32201,
			"asked auth for the set and got none (503), and no longer had k2", "keep the set that it has",
		},
		{
			"the new one thrown away in an outage, and nobody tells of its fetches",
			[]change{blindSearch, looked(24, "auth", key1, key2), answered(31.5, "auth", "", "503", time.Millisecond), refuse("app", "k2", 32.2, 34, 10)},
			judge.Finding{Consumer: "auth", Credential: "k2", CausedBy: "emit", Cause: judge.CauseSourceDown, FirstPhase: "overlap"}, 32201,
			"auth gave no set when looked at then (503), and search no longer had k2", "keep the set that it has",
		},
		{
			"refused when the outage was over, and nobody tells of its fetches",
			[]change{blindSearch, looked(24, "auth", key1, key2), answered(30, "auth", "", "503", time.Millisecond), looked(31.5, "auth", key1, key2), refuse("app", "k2", 32.2, 34, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseUnknown, FirstPhase: "overlap"}, 32201,
			"it was refused although search had learned it", "look into the log of search",
		},
		{
			"turned away when it went to fetch",
			[]change{func(s *story) { s.limits.Validators[1].OnMiss, s.limits.Validators[1].Learns = true, 0 }, searchLearns(31), refuse("app", "k2", 28.4, 31, 10),
				add(turnedAway(28.4, "search"), turnedAway(28.6, "search"), turnedAway(28.6, "checkout"), turnedAway(9, "search"))},
			judge.Finding{Consumer: "auth", Credential: "k2", CausedBy: "emit", Cause: judge.CauseTurnedAway, FirstPhase: "emit"}, 28401,
			"auth answered 429 to 2 of its requests, as to those of 2 validators in all", "as many at once as there are replicas",
		},
		{
			"a fetch that was used up",
			[]change{
				func(s *story) { v := &s.limits.Validators[1]; v.OnMiss, v.Learns, v.Cooldown = true, 0, 5*time.Minute },
				searchLearns(31), add(fetched(at(26), "search", "auth", "k1")), withoutKind(history.KindPublished, "auth"),
				add(published(at(0.1), "auth", "k1"), published(at(26.5), "auth", "k1", "k2")), refuse("app", "k2", 28.4, 31, 10),
			},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseCooldown, FirstPhase: "emit"}, 28401,
			"search had fetched the set 2m24s before it first met k2, without k2 in it", "emit at least 6m15s after accepting",
		},
		{
			"two keys of one name",
			[]change{searchLearns(0), withoutKind(history.KindPublished, "auth"),
				add(published(at(0.1), "auth", "k1"), published(at(10.5), "auth", "k1", "k1")), refuse("app", "k2", 28.4, 61, 10)},
			judge.Finding{Consumer: "auth", Credential: "k2", CausedBy: "emit", Cause: judge.CauseReusedKid, FirstPhase: "emit"}, 28401,
			"auth published 2 keys under the name of k1", "its thumbprint (RFC 7638)",
		},
		{
			"refused for something else than its key, under a fault of its emitter",
			[]change{
				func(s *story) { s.limits.Validators[1].OnMiss, s.limits.Validators[1].Library = true, "keyfunc" }, searchLearns(50), refuse("app", "k2", 28.4, 50, 10),
				add(fault(at(28), "missing-kid", "auth", "injected", false), fault(at(28.4), "missing-kid", "auth", "evidence", true), fault(at(50), "missing-kid", "auth", "undone", false)),
			},
			judge.Finding{Consumer: "auth", Credential: "k2", CausedBy: "missing-kid", Cause: judge.CauseMissingKid, FirstPhase: "emit"}, 28401,
			"search did not fetch the set in the 2m after it first met k2", "let auth write the kid",
		},
		{
			"learned as it was first met, and refused to the end",
			[]change{searchLearns(28.3), refuse("app", "k2", 28.4, 61, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseUnknown, FirstPhase: "emit"}, 28401,
			"it was refused although search had learned it", "look into the log of search",
		},
		{
			"learned as it was first met, taken once, and refused to the end",
			[]change{searchLearns(28.3), refuse("app", "k2", 28.5, 61, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseUnknown, FirstPhase: "overlap"}, 28501,
			"it was refused although search had learned it", "look into the log of search",
		},
		{
			"refused since it is named after the old key",
			[]change{
				func(s *story) { s.limits.Validators[1].OnMiss, s.limits.Validators[1].Library = true, "keyfunc" }, refuse("app", "k2", 28.4, 61, 10),
				add(fault(at(0), "old-kid", "auth", "injected", false), fault(at(28.4), "old-kid", "auth", "evidence", true), fault(at(60.5), "old-kid", "auth", "undone", false)),
			},
			judge.Finding{Consumer: "auth", Credential: "k2", CausedBy: "old-kid", Cause: judge.CauseOldKid, FirstPhase: "emit"}, 28401,
			"it was refused although search had learned it", "the kid of the key that it signs that one with",
		},
		{
			"refused for something else than its key",
			[]change{func(s *story) { s.limits.Validators[1].OnMiss, s.limits.Validators[1].Library = true, "keyfunc" }, searchLearns(50), refuse("app", "k2", 28.4, 50, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseUnknown, FirstPhase: "emit"}, 28401,
			"search did not fetch the set in the 2m after it first met k2", "(algorithm, kid, claims)",
		},
		{
			"refused by one of which nobody sees whether it fetched",
			[]change{func(s *story) { s.limits.Validators[1].OnMiss, s.limits.Validators[1].Library = true, "keyfunc" }, searchLearns(50), withoutKind(history.KindFetched, "search"), refuse("app", "k2", 28.4, 50, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseStaleCache, FirstPhase: "emit"}, 28401,
			"search learned it 40m after it was accepted", "publish at least",
		},
		{
			"later than the page says of a cache without a library",
			[]change{func(s *story) { s.limits.Validators[1].OnMiss, s.limits.Validators[1].Library = true, "" }, searchLearns(50), refuse("app", "k2", 28.4, 50, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseStaleCache, FirstPhase: "emit"}, 28401,
			"search learned it 40m after it was accepted, and the lead was 18m", "publish at least",
		},
		{
			"its clock is off",
			[]change{add(fault(at(44.8), "clock", "search", "injected", false), fault(at(45), "clock", "search", "evidence", true), fault(at(46), "clock", "search", "undone", false)), refuse("app", "k2", 45, 46, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "clock", Cause: judge.CauseClockSkew, FirstPhase: "watch"}, 45001,
			"the fault clock on search was in effect from 44m48s until 46m", "set the clock of search",
		},
		{
			"its clock was to be off, and was not seen to be",
			[]change{add(fault(at(44.8), "clock", "search", "injected", false), fault(at(45), "clock", "search", "evidence", false), fault(at(46), "clock", "search", "undone", false)), refuse("app", "k2", 45, 46, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "clock", Cause: judge.CauseUnknown, FirstPhase: "watch"}, 45001,
			"it was refused although search had learned it", "look into the log of search",
		},
		{
			"a value that its authority does not know",
			[]change{
				func(s *story) { s.limits.Validators[1].Authority = true },
				move(history.KindLearned, "search", at(9.9)), move(history.KindStep, "accept", at(10)), refuse("app", "k2", 45, 46, 10),
			},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseUnknown, FirstPhase: "watch"}, 45001,
			"search takes k2 from others, and refuses what app presents as it: either its value is another", "by fingerprint",
		},
		{
			"refused although learned",
			[]change{refuse("app", "k2", 45, 46, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseUnknown, FirstPhase: "watch"}, 45001,
			"it was refused although search had learned it 10m after it was accepted", "look into the log of search from 45m on",
		},
		{
			"refused under a fault",
			[]change{add(fault(at(44.8), "pause", "search", "injected", false), fault(at(45), "pause", "search", "evidence", true), fault(at(46), "pause", "search", "undone", false)), refuse("app", "k2", 45, 46, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "pause", Cause: judge.CauseUnknown, FirstPhase: "watch"}, 45001,
			"it was refused although search had learned it", "look into the log of search",
		},
		{
			"the old one refused before its revoke",
			[]change{refuse("app", "k1", 20, 22, 10)},
			judge.Finding{Consumer: "search", Credential: "k1", CausedBy: "accept", Cause: judge.CauseUnknown, FirstPhase: "verify"}, 20001,
			"search refused k1 before it was revoked", "look into the log of search from 20m on",
		},
		{
			"the old one refused before anything was changed",
			[]change{refuse("app", "k1", 5, 28, 1), refuse("app", "k1", 10, 28, 9)},
			judge.Finding{Consumer: "search", Credential: "k1", CausedBy: "accept", Cause: judge.CauseUnknown, FirstPhase: "verify"}, 10001,
			"search refused k1 before it was revoked; before anything was changed it was refused 50 of 1000 times", "look into the log of search",
		},
		{
			"old tokens outlive their key",
			[]change{revokedAt(31.4), refuse("app", "k1", 32.4, 37, 10)},
			judge.Finding{Consumer: "app", Credential: "k1", CausedBy: "revoke", Cause: judge.CauseOutlived, FirstPhase: "watch"}, 32401,
			"k1 was revoked 3m after auth switched, and was in use for 8m5s", "revoke at least 10m30s after the last emitter's switch (overlap.window)",
		},
		{
			"old tokens live longer than the page says",
			[]change{goesOn(37, 45), refuse("app", "k1", 41, 45, 10)},
			judge.Finding{Consumer: "app", Credential: "k1", CausedBy: "revoke", Cause: judge.CauseOutlived, FirstPhase: "watch"}, 41001,
			"k1 was revoked 12m6s after auth switched, and was in use for 16m35s", "revoke at least 16m35s after",
		},
		{
			"old tokens of a client that keeps them for longer than the page says",
			[]change{goesOn(37, 45), refuse("app", "k1", 41, 45, 10), limit(func(l *plan.Limits) { l.Clients[0].Life = 2 * l.LongestLife })},
			judge.Finding{Consumer: "app", Credential: "k1", CausedBy: "revoke", Cause: judge.CauseOutlived, FirstPhase: "watch"}, 41001,
			"k1 was revoked 12m6s after auth switched", "; or give app tokens of at most 10m, as the page says",
		},
		{
			"an emitter off the page that never switched",
			[]change{switches(0), limit(func(l *plan.Limits) { l.Emitters[0].OnPage = false }), refuse("app", "k1", 41, 61, 10), goesOn(37, 61), refuse("app", "k1", 41, 61, 10)},
			judge.Finding{Consumer: "auth", Credential: "k1", CausedBy: "revoke", Cause: judge.CauseNotSwitched, FirstPhase: "watch"}, 41001,
			"auth, which is not on the page, went on with k1 after it was revoked", "put auth on the page and make it read the new credential",
		},
		{
			"an emitter on the page that switched late",
			[]change{switches(50), goesOn(37, 50), refuse("app", "k1", 41, 50, 10)},
			judge.Finding{Consumer: "auth", Credential: "k1", CausedBy: "revoke", Cause: judge.CauseNotSwitched, FirstPhase: "watch"}, 41001,
			"auth went on with k1 after it was revoked; it switched 22m after the emit", "make auth take what is published every 45s as the page says",
		},
		{
			"an emitter on the page that takes it at its start",
			[]change{limit(func(l *plan.Limits) { l.Emitters[0].Refresh = 0 }), switches(50), goesOn(37, 50), refuse("app", "k1", 41, 50, 10)},
			judge.Finding{Consumer: "auth", Credential: "k1", CausedBy: "revoke", Cause: judge.CauseNotSwitched, FirstPhase: "watch"}, 41001,
			"auth went on with k1 after it was revoked; it switched 22m after the emit", "restart auth as a step of the rollout",
		},
		{
			"an emitter on the page that could not read it",
			[]change{cutFromTheStore, switches(50), goesOn(37, 50), refuse("app", "k1", 41, 50, 10)},
			judge.Finding{Consumer: "auth", Credential: "k1", CausedBy: "revoke", Cause: judge.CauseNotSwitched, FirstPhase: "watch"}, 41001,
			"auth went on with k1 after it was revoked; it switched 22m after the emit; the fault partition on auth → store was in effect from 27m until 50m", "mend what kept auth from the new credential (here the fault partition on auth → store)",
		},
		{
			"an emitter that switched because it was refused, while the revoke was under way",
			[]change{slowRevoke, switches(40.65), goesOn(37, 40.7), refuse("app", "k1", 40.6, 40.7, 10)},
			judge.Finding{Consumer: "auth", Credential: "k1", CausedBy: "revoke", Cause: judge.CauseNotSwitched, FirstPhase: "watch"}, 40601,
			"auth went on with k1 after it was revoked; it switched 12m39s after the emit", "make auth take what is published every 45s as the page says",
		},
		{
			"a flag day, for the new key",
			[]change{early(0), revokedAt(10.5), searchLearns(24), refuse("app", "k2", 10, 24, 10)},
			judge.Finding{Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseFlagDay, FirstPhase: "emit"}, 10401,
			"accept, emit and revoke fell together, so search met k2 before it could learn it; it learned it 14m after it was accepted", "publish at least 23m45s before emitting",
		},
		{
			"a flag day, for the old key",
			[]change{early(0), revokedAt(10.5), refuse("app", "k1", 29, 37, 10)},
			judge.Finding{Consumer: "app", Credential: "k1", CausedBy: "revoke", Cause: judge.CauseFlagDay, FirstPhase: "watch"}, 29001,
			"what app had obtained with k1 was refused until 26m5s after the switch", "keep k1 accepted for at least 10m30s after the last emitter's switch",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			var found []judge.Finding
			for _, f := range failing(v) {
				if f.RuleID == "auth-failures-flat" {
					found = append(found, f)
				}
			}
			if len(found) != 1 {
				t.Fatalf("findings: got %d, want 1: %+v", len(found), found)
			}
			got := found[0]
			if got.Presenter != "app" || got.Validator != "search" || got.Level != judge.Error {
				t.Errorf("finding: got %s, want an error of app at search", text(got))
			}
			if got.Consumer != tt.want.Consumer || got.Credential != tt.want.Credential || got.CausedBy != tt.want.CausedBy ||
				got.Cause != tt.want.Cause || got.FirstPhase != tt.want.FirstPhase {
				t.Errorf("finding: got  %s\nwant %s", text(got), text(tt.want))
			}
			if got.FirstMS != tt.first || got.LastMS <= got.FirstMS {
				t.Errorf("finding: got %d to %d ms, want it to begin at %d", got.FirstMS, got.LastMS, tt.first)
			}
			if !strings.Contains(got.Message, tt.says) {
				t.Errorf("message: got %q, want it to say %q", got.Message, tt.says)
			}
			if !strings.Contains(got.Fix, tt.fix) {
				t.Errorf("fix: got %q, want it to say %q", got.Fix, tt.fix)
			}
		})
	}
}

// slowRevoke is a revoke that the authority has a while before it is done.
func slowRevoke(s *story) {
	for i := range s.events {
		if e := &s.events[i]; e.Kind == history.KindStep && e.Step == "revoke" {
			e.Began, e.At = e.At, e.At+at(0.5)
		}
	}
}
