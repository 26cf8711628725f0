package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// still takes the probes of k1 at search away and adds some of its own: taken
// at each of the moments, and refused at the last one if it is not 0.
func still(refusedAt float64, takenAt ...float64) change {
	return func(s *story) {
		withoutProbes("search", history.OldAfter)(s)
		for _, moment := range takenAt {
			s.add(probe(at(moment), "search", "k1", history.OldAfter, history.OK))
		}
		if refusedAt > 0 {
			s.add(probe(at(refusedAt), "search", "k1", history.OldAfter, history.AuthFailure))
		}
	}
}

func asks(moment float64, purpose history.Purpose, outcome history.Outcome) change {
	credential := "k1"
	if purpose == history.NewAfter || purpose == history.Canary {
		credential = "k2"
	}
	return add(probe(at(moment), "search", credential, purpose, outcome))
}

// slowly adds an answer of search to k1 that took so many seconds.
func slowly(moment, seconds float64, outcome history.Outcome) change {
	e := probe(at(moment), "search", "k1", history.OldAfter, outcome)
	e.Probe.Latency = at(seconds)
	return add(e)
}

// forgetting has search say in its log that it no longer takes k1.
func forgetting(moment float64) change {
	return add(history.Event{At: at(moment), Kind: history.KindForgot, Service: "search", Credential: "k1"})
}

// replicas has search asked for k1 every tenth of a second, and take it every nth
// time; 0: never.
func replicas(from, to float64, nth int) change {
	return func(s *story) {
		for i := range int((to - from) * 10) {
			outcome := history.AuthFailure
			if nth > 0 && i%nth == 0 {
				outcome = history.OK
			}
			s.add(probe(at(from+float64(i)/10), "search", "k1", history.OldAfter, outcome))
		}
	}
}

// some has search take what it is shown so many times and refuse it so many.
func some(moment float64, purpose history.Purpose, taken, refused int) change {
	return func(s *story) {
		for i := range taken + refused {
			outcome := history.OK
			if i < refused {
				outcome = history.AuthFailure
			}
			asks(moment+float64(i)/1e4, purpose, outcome)(s)
		}
	}
}

// TestOffThePage: who fetches the key set, is not on the page and was never shown the old
// credential may take it for good: nobody can tell. A cache takes nothing, and who is shown
// credentials has answered.
func TestOffThePage(t *testing.T) {
	t.Parallel()
	reads := func(service, reader string) change {
		return add(history.Event{At: at(20), Kind: history.KindRead, Service: service, Reader: reader, What: "jwks"})
	}
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
		says    string
	}{
		{"a service", []change{reads("auth", "audit")}, judge.Inconclusive, "audit fetches the key set and is not on the page: nobody showed it k1"},
		{"a cache that somebody reads", []change{reads("auth", "edge"), reads("edge", "search")}, judge.Pass, ""},
		{"a cache by which somebody has its set", []change{reads("auth", "edge"), add(fetched(at(21), "search", "edge", "k1", "k2"))}, judge.Pass, ""},
		{"one on the page", []change{reads("auth", "search")}, judge.Pass, ""},
		{"one that reads the store", []change{add(history.Event{At: at(20), Kind: history.KindRead, Service: "store", Reader: "audit", What: "secret/data/key"})}, judge.Pass, ""},
	} {
		if r := rule(t, judged(t, tt.changes...), "revocation"); r.Outcome != tt.want || !strings.Contains(r.Detail, tt.says) {
			t.Errorf("%s: got %s, %q, want %s, %q", tt.name, r.Outcome, r.Detail, tt.want, tt.says)
		}
	}
}

// TestAtMost: the cure of who keeps the old credential says for how long it may be kept.
func TestAtMost(t *testing.T) {
	t.Parallel()
	for forgets, want := range map[time.Duration]string{
		15 * time.Minute: "an expiry of at most 15m, as the page says", runbook.Forever: "an expiry of at most 18m45s, so that it is over in a watch of 20m",
	} {
		v := judged(t, still(0, 41, 50, 60.4), limit(func(l *plan.Limits) {
			i := slices.IndexFunc(l.Validators, func(v plan.Validator) bool { return v.Name == "search" })
			l.Validators[i].Forgets = forgets
		}))
		if !slices.ContainsFunc(v.Findings, func(f judge.Finding) bool { return strings.Contains(f.Fix, want) }) {
			t.Errorf("got %+v, want a cure that says %q", v.Findings, want)
		}
	}
}

// databaseFamily makes the credential one by which pools log in.
func databaseFamily(s *story) { s.limits.Family = "database-password" }

func TestRevocation(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
		says    string // of the one finding, or of the detail
	}{
		{"refused in time", nil, judge.Pass, "every validator refused k1 in time and takes k2"},
		{"refused at once", []change{still(40.6)}, judge.Pass, "refused k1 in time"},
		// G3 of search is 15m + 45s + 30s: 16.25s, and its library adds 2s.
		{"refused within what its library adds", []change{still(58.7, 41, 58.6)}, judge.Pass, "refused k1 in time"},
		{"refused too late", []change{still(60, 41, 59.9)}, judge.Fail, "search took k1 until 19m24s after the revoke; the bound is 16m15s"},
		{"never refused", []change{still(0, 41, 50, 60.4)}, judge.Fail, "search still took k1 19m54s after the revoke: the bound is 16m15s"},
		{"refused, and taken again", []change{still(50, 41), asks(60.4, history.OldAfter, history.OK)}, judge.Fail, "search still took k1 19m54s after"},
		{"no bound, and taken to the end", []change{forever("search"), still(0, 41, 50, 60.4)}, judge.Fail, "search still took k1 19m54s after the revoke: nothing makes it forget"},
		{"no bound, and refused late", []change{forever("search"), still(60, 41, 59.9)}, judge.Pass, "refused k1 in time"},
		{"no bound, and no answer after a while", []change{forever("search"), still(0, 41, 42), asks(43, history.OldAfter, history.Unavailable)}, judge.Inconclusive, "search still took k1 1m30s after the revoke and gave no answer after that"},
		{"dead before its bound", []change{still(0, 41, 42), asks(43, history.OldAfter, history.Unavailable), asks(60, history.OldAfter, history.Unavailable)}, judge.Inconclusive, "gave no answer after that"},
		{"dead at the revoke", []change{still(0), asks(41, history.OldAfter, history.Unavailable), asks(60, history.OldAfter, history.Unavailable)}, judge.Inconclusive, "search gave no answer about k1"},
		{"refused in words that nobody reads", []change{still(0), inStatus("410", asks(41, history.OldAfter, history.Unavailable), asks(60, history.OldAfter, history.Unavailable))}, judge.Inconclusive,
			"search answered 410 to k1, which is read as neither taken nor refused; if that is how search refuses, say it in the scenario (services.search.refusal: {statuses: [410]})"},
		{"refused in other words than the scenario says", []change{still(0), saysHow("search"), inStatus("410", asks(41, history.OldAfter, history.Unavailable), asks(60, history.OldAfter, history.Unavailable))}, judge.Inconclusive,
			"which is read as neither taken nor refused; if search refuses like that too, add 410 to the statuses of services.search.refusal"},
		{"its login works, and a right was taken", []change{databaseFamily, still(0), inStatus("42501", asks(41, history.OldAfter, history.Unavailable), asks(60, history.OldAfter, history.Unavailable))}, judge.Inconclusive,
			"search takes the password of k1 still, and denies it a right (42501): that is no refusal; have the step revoke end the login itself of k1"},
		{"its role has a limit of connections of 0", []change{databaseFamily, still(0), inStatus("53300 role limit", asks(41, history.OldAfter, history.Unavailable), asks(60, history.OldAfter, history.Unavailable))}, judge.Inconclusive,
			"search lets no more connections in with k1, whose user has a limit of its own that is reached, or is 0 (53300 role limit), and refuses no password: that is no refusal; have the step revoke end the login itself of k1 (NOLOGIN, ACCOUNT LOCK, another password, a user that is deleted) besides its limit of connections"},
		{"the server has no room", []change{databaseFamily, still(0), inStatus("53300", asks(41, history.OldAfter, history.Unavailable), asks(60, history.OldAfter, history.Unavailable))}, judge.Inconclusive,
			"search answered 53300 to k1"},
		{"a right was taken late", []change{databaseFamily, still(0, 41), inStatus("530", asks(42, history.OldAfter, history.Unavailable), asks(60, history.OldAfter, history.Unavailable))}, judge.Inconclusive,
			"search takes the password of k1 still, and denies it a right (530)"},
		{"the same status of one that has no logins", []change{still(0), inStatus("530", asks(41, history.OldAfter, history.Unavailable), asks(60, history.OldAfter, history.Unavailable))}, judge.Inconclusive,
			"search answered 530 to k1"},
		{"not asked", []change{still(0)}, judge.Inconclusive, "search gave no answer about k1"},
		{"nothing to ask with", []change{still(0), asks(41, history.OldAfter, history.HarnessError)}, judge.Inconclusive, "search was never shown k1: harness_error"},
		{"nothing left to ask with, before its bound", []change{still(0), asks(41, history.OldAfter, history.OK), asks(42, history.OldAfter, history.HarnessError), asks(58, history.OldAfter, history.HarnessError)}, judge.Inconclusive, "search took k1 for 30s after the revoke, and may until 18m15s; after that it could not be asked: harness_error"},
		{"asked only before the revoke", []change{still(0), asks(40, history.OldAfter, history.AuthFailure)}, judge.Inconclusive, "search gave no answer about k1"},
		{"still within its bound at the end", []change{func(s *story) { s.limits.Validators[1].Forgets *= 2 }, still(0, 41, 60.4)}, judge.Inconclusive, "search still took k1 when it was last asked, 19m54s after the revoke, and may until 33m15s"},
		{"refuses what the harness makes of the new one, and takes it from others", []change{withoutProbes("search", history.NewAfter), some(60.45, history.NewAfter, 0, 8)}, judge.Inconclusive, "refused k2 in all of 8 answers to the harness, and took it"},
		{"refuses what the harness makes of the new one, and others have a key of another type", []change{withoutProbes("search", history.NewAfter), some(60.45, history.NewAfter, 0, 8),
			looked(26, "auth", key1, but(key2, func(k *history.Key) { k.Kty, k.Crv, k.Alg = "RSA", "", "RS256" }))}, judge.Inconclusive, "auth has a key of the type RS256 in its set as k2, and k1 of ES256: it signs with a key of its own"},
		{"refuses the new one since the revoke, and nobody tells of its fetches", []change{searchLearns(0), withoutProbes("search", history.NewAfter), some(60.45, history.NewAfter, 0, 8), refuse("app", "k2", 41, 61, 10)}, judge.Fail, "search refuses k2 after the revoke of k1: it took it before, the last time at 41m"},
		{"refuses what the harness makes of the new one, which others have under the old one's name", []change{withoutProbes("search", history.NewAfter), some(60.45, history.NewAfter, 0, 8),
			withoutKind(history.KindPublished, "auth"), add(published(at(0.1), "auth", "k1"), published(at(10.5), "auth", "k1", "k1"))}, judge.Fail, "auth published 2 keys under the name of k1"},
		{"refuses what the harness makes, and takes what names no key", []change{withoutProbes("search", history.NewAfter), some(60.45, history.NewAfter, 0, 8), namesNone}, judge.Inconclusive, "it may not check by a key"},
		{"refuses it from everybody until after it was asked", []change{withoutProbes("search", history.NewAfter), some(56, history.NewAfter, 0, 8), refuse("app", "k2", 50, 56.1, 10)}, judge.Fail, "search refuses k2 after the revoke of k1"},
		{"refuses it from everybody", []change{withoutProbes("search", history.NewAfter), some(60.45, history.NewAfter, 0, 8), refuse("app", "k2", 50, 61, 10)}, judge.Fail, "search refuses k2 after the revoke of k1"},
		{"refuses the new one too", []change{asks(60.45, history.NewAfter, history.AuthFailure)}, judge.Fail, "search refuses k2 after the revoke of k1"},
		{"keeps the old one and refuses the new one", []change{still(0, 41, 60.4), asks(60.45, history.NewAfter, history.AuthFailure)}, judge.Fail, "the bound is 16m15s; and it refuses k2"},
		{"the new one not asked", []change{withoutProbes("search", history.NewAfter)}, judge.Inconclusive, "search was not seen taking k2 after the revoke"},
		{"no answer to the new one", []change{withoutProbes("search", history.NewAfter), asks(60.45, history.NewAfter, history.Unavailable)}, judge.Inconclusive, "search was not seen taking k2 after the revoke"},
		{"nothing revoked", []change{without(func(e history.Event) bool { return e.Step == "revoke" })}, judge.Skipped, "nothing was revoked"},
		{"asked late, and refused then", []change{still(60)}, judge.Pass, "refused k1 in time"},
		{"slow, and asked in time", []change{still(0), slowly(57, 1.5, history.OK), slowly(60, 1.5, history.AuthFailure)}, judge.Pass, "refused k1 in time"},
		{"slow, and asked too late", []change{still(0), slowly(60.2, 0.3, history.OK), slowly(60.4, 0.4, history.AuthFailure)}, judge.Fail, "search took k1 until 19m42s after"},
		{"replicas that forget one after the other", []change{still(0), replicas(41, 50, 2), replicas(50, 53, 0)}, judge.Pass, "refused k1 in time"},
		{"a replica that keeps it", []change{still(0), replicas(41, 60.4, 3)}, judge.Fail, "it is several replicas, and one of about 3 keeps it"},
		{"taken again, and hardly asked since", []change{still(0), replicas(41, 48, 2), replicas(60, 60.4, 0)}, judge.Inconclusive, "some of its replicas may still take it"},
		{"one replica that refuses the new one", []change{some(60.45, history.NewAfter, 20, 8)}, judge.Fail, "search refuses k2 after the revoke of k1 in 8 of 29 answers"},
		{"one answer in many that refuses the new one", []change{some(60.45, history.NewAfter, 72, 1)}, judge.Inconclusive, "search refused k2 in 1 of 74 answers"},
		{"frozen, and it took it when it woke", []change{still(0), slowly(59.9, 19, history.OK), slowly(60.1, 0.1, history.AuthFailure), forgetting(59.95)}, judge.Fail, "search took k1 until 19m24s after"},
		{"frozen, and had forgotten it before", []change{still(0), slowly(59.9, 19, history.OK), slowly(60.1, 0.1, history.AuthFailure), forgetting(50)}, judge.Pass, "refused k1 in time"},
		{"off the page", []change{onSearch(offPage), still(60, 41, 59.9)}, judge.Fail, "search, which is not on the page, took k1 until 19m24s after"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "revocation", tt.want)
			if tt.want == judge.Fail {
				wantSaid(t, v, "revocation", tt.says)
				return
			}
			wantSaid(t, v, "revocation", "")
			if got := rule(t, v, "revocation").Detail; !strings.Contains(got, tt.says) {
				t.Errorf("detail: got %q, want it to say %q", got, tt.says)
			}
		})
	}
}

func TestRevocationFinding(t *testing.T) {
	t.Parallel()
	neverWithdrawn := without(func(e history.Event) bool { return e.Kind == history.KindPublished && e.At > at(40) })
	for _, tt := range []struct {
		name     string
		changes  []change
		consumer string
		cause    judge.Cause
		fix      string
	}{
		{"kept by an authority", []change{still(0, 41, 60.4), limit(func(l *plan.Limits) { l.Validators[1].Authority = true })}, "search", judge.CauseKeptRevoked, "check at search itself whether k1 is revoked"},
		{"kept by the validator", []change{still(0, 41, 60.4)}, "search", judge.CauseKeptRevoked, "restart search after a revoke"},
		{"kept for as long as it keeps any set, and the page says less", []change{still(0, 41, 60.4), limit(func(l *plan.Limits) {
			l.Validators[1].Forgets, l.Validators[1].Keeps = 5*time.Minute, 30*time.Minute
		})}, "search", judge.CauseKeptRevoked, "and write on the page what search really does; where k1 must be refused sooner, restart search"},
		{"late at the validator", []change{still(60, 41, 59.9)}, "search", judge.CauseKeptRevoked, "write forgets_within: 20m"},
		{"published for too long", []change{still(60, 41, 59.9), func(s *story) {
			without(func(e history.Event) bool { return e.Kind == history.KindPublished && e.At > at(40) })(s)
			s.add(published(at(55), "auth", "k2"))
		}}, "auth", judge.CauseLatePublish, "make auth read the store every 45s"},
		{"published to the end", []change{still(60, 41, 59.9),
			neverWithdrawn}, "auth", judge.CauseLatePublish, "make auth read the store every 45s"},
		{"the emitter ended before it could withdraw it", []change{still(60, 41, 59.9), neverWithdrawn,
			add(history.Event{At: at(35), Kind: history.KindExit, Service: "auth"})}, "auth", judge.CauseServiceDown, "bring auth back before the revoke"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			found := failing(v)
			if len(found) != 1 {
				t.Fatalf("findings: got %+v, want one", found)
			}
			f := found[0]
			if f.RuleID != "revocation" || f.Validator != "search" || f.Consumer != tt.consumer || f.Cause != tt.cause ||
				f.Credential != "k1" || f.CausedBy != "revoke" || f.FirstPhase != "watch" {
				t.Errorf("finding: got %s, want one of k1 at search, consumer %s, cause %s", text(f), tt.consumer, tt.cause)
			}
			if f.FirstMS != 40500 || f.LastMS < 59900 || f.Count != 2 {
				t.Errorf("finding: got %d to %d ms, %d times, want from the revoke at 40500 until it was last taken, 2 times", f.FirstMS, f.LastMS, f.Count)
			}
			if !strings.Contains(f.Fix, tt.fix) {
				t.Errorf("fix: got %q, want it to say %q", f.Fix, tt.fix)
			}
		})
	}
}

// inStatus gives the presentations of some changes a status of the answer.
func inStatus(status string, changes ...change) change {
	return func(s *story) {
		n := len(s.events)
		for _, c := range changes {
			c(s)
		}
		for i := n; i < len(s.events); i++ {
			if p := s.events[i].Probe; p != nil {
				p.Status = status
			}
		}
	}
}

// TestKeptForItsSource: who could not fetch the set, or was answered with an old one, is not
// to blame for what it keeps; who had one without the old credential is.
func TestKeptForItsSource(t *testing.T) {
	t.Parallel()
	fails := func(moment float64) change {
		return add(history.Event{At: at(moment), Kind: history.KindFetchFailed, Service: "search", From: "auth", Detail: "status 503"})
	}
	during := func(kind, target, from, to string, begun, undone float64) change {
		return func(s *story) {
			for _, stage := range []struct {
				at   float64
				name string
			}{{begun, history.FaultInjected}, {begun + .1, history.FaultEvidence}, {undone, history.FaultUndone}} {
				event := fault(at(stage.at), kind, target, stage.name, stage.name == history.FaultEvidence)
				event.Fault.From, event.Fault.To = from, to
				s.add(event)
			}
		}
	}
	cut := func(begun, undone float64) change {
		return during("partition", "search → auth", "search", "auth", begun, undone)
	}
	keeps := still(0, 41, 60.4)
	for _, tt := range []struct {
		name     string
		changes  []change
		consumer string
		cause    judge.Cause
		causedBy string
	}{
		{"asked and got none", []change{keeps, fails(45)}, "auth", judge.CauseSourceDown, "revoke"},
		{"asked under a fault at the source", []change{keeps, fails(45), during("jwks", "auth", "", "", 40.5, 60.4)}, "auth", judge.CauseSourceDown, "jwks"},
		{"turned away, by the log of whom it asked", []change{keeps, add(turnedAway(45, "search"))}, "auth", judge.CauseSourceDown, "revoke"},
		{"cut off, and logs no fetch that fails", []change{keeps, cut(40.5, 60.4)}, "search → auth", judge.CauseSourceDown, "partition"},
		{"cut off from the store, which it reads itself", []change{keeps, onSearch(func(v *plan.Validator) { v.Reads = true }), during("partition", "search → store", "search", "store", 40.5, 60.4)}, "search → store", judge.CauseKeptRevoked, "partition"},
		{"cut off for a moment, long before the end", []change{keeps, cut(40.5, 41)}, "search", judge.CauseKeptRevoked, "revoke"},
		{"cut off before the revoke", []change{keeps, cut(30, 39)}, "search", judge.CauseKeptRevoked, "revoke"},
		{"asked in vain and then got one", []change{keeps, fails(45), add(fetched(at(46), "search", "auth", "k2"))}, "search", judge.CauseTokenCache, "revoke"},
		{"answered with an old one by a cache", []change{keeps, add(fetched(at(45), "search", "edge", "k1", "k2"))}, "edge", judge.CauseSharedCache, "revoke"},
		{"answered by a relay, which keeps nothing", []change{keeps, limit(func(l *plan.Limits) { l.Caches = append(l.Caches, plan.Cache{Name: "edge", Of: "auth"}) }), add(fetched(at(45), "search", "edge", "k1", "k2"))}, "search", judge.CauseKeptRevoked, "revoke"},
		{"answered by the emitter before that took it out", []change{keeps, add(fetched(at(40.6), "search", "auth", "k1", "k2"))}, "search", judge.CauseKeptRevoked, "revoke"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			i := slices.IndexFunc(v.Findings, func(f judge.Finding) bool { return f.RuleID == "revocation" })
			if i < 0 {
				t.Fatalf("findings: got %+v, want one of the revocation", v.Findings)
			}
			if f := v.Findings[i]; f.Consumer != tt.consumer || f.Cause != tt.cause || f.CausedBy != tt.causedBy {
				t.Errorf("finding: got %s, want consumer %s, cause %s, caused by %s", text(f), tt.consumer, tt.cause, tt.causedBy)
			}
		})
	}
}

// TestRevocationAtOneOfSeveral: of a validator the replica that keeps the old credential can be restarted;
// of an authority whoever runs it is to be asked.
func TestRevocationAtOneOfSeveral(t *testing.T) {
	t.Parallel()
	for authority, fix := range map[bool]string{
		false: "restart the one that keeps k1", true: "ask whoever runs search which of its servers takes k1, and for how long after a revoke; have it revoked there too",
	} {
		v := judged(t, still(0), replicas(41, 60.4, 3), limit(func(l *plan.Limits) { l.Validators[1].Authority = authority }))
		found := failing(v)
		if len(found) != 1 {
			t.Fatalf("authority %t: findings: got %+v, want one", authority, found)
		}
		f := found[0]
		if f.Cause != judge.CauseSomeReplicas || f.Consumer != "search" || !strings.Contains(f.Fix, fix) {
			t.Errorf("authority %t: got %s of %s, cured by %q; want %s of search, cured by %q", authority, f.Cause, f.Consumer, f.Fix, judge.CauseSomeReplicas, fix)
		}
	}
}
