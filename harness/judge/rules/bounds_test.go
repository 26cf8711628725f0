package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// TestMomentOfAFront: who hands on what it is shown, and fetches nothing itself, has no worst
// moment but that of those behind it.
func TestMomentOfAFront(t *testing.T) {
	t.Parallel()
	front := func(hands ...string) change {
		return func(s *story) {
			v := s.limits.Validators[1]
			v.Name, v.Hands = "gate", hands
			s.limits.Validators = append(s.limits.Validators, v)
			s.add(history.Event{At: at(10), Kind: history.KindMoment, Service: "gate", What: history.MomentUnseen, Detail: "it was not seen to fetch"})
		}
	}
	for _, tt := range []struct {
		name    string
		changes []change
		open    bool
	}{
		{"before one on the page", []change{front("search")}, false},
		{"before nobody", []change{front()}, true},
		{"before one that is not seen to fetch either", []change{front("search"), without(func(e history.Event) bool { return e.Kind == history.KindFetched && e.Service == "search" })}, true},
		{"that fetches", []change{front("search"), add(fetched(at(4), "gate", "auth", "k1"))}, true},
	} {
		r := rule(t, judged(t, tt.changes...), "bounds")
		if strings.Contains(r.Detail, "for gate was waited for") != tt.open {
			t.Errorf("%s: got %s, %q, want it open: %t", tt.name, r.Outcome, r.Detail, tt.open)
		}
	}
}

// fetchesAt has a validator fetch at these moments, and at no others.
func fetchesAt(validator string, moments ...float64) (changes []change) {
	changes = []change{without(func(e history.Event) bool { return e.Kind == history.KindFetched && e.Service == validator })}
	for _, m := range moments {
		changes = append(changes, add(fetched(at(m), validator, "auth", "k1")))
	}
	return changes
}

func TestBounds(t *testing.T) {
	t.Parallel()
	lead := func(d time.Duration) change { return limit(func(l *plan.Limits) { l.Lead = d }) }
	// G1 of search is 15m + 45s + 30s, G2 10m + 30s, and G3 as G1.
	const g1 = 16*time.Minute + 15*time.Second
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
		verdict judge.Outcome
		says    string // of the finding
		level   judge.Level
		who     string
		fix     string
	}{
		{"long enough", nil, judge.Pass, judge.Pass, "", "", "", ""},
		{"just long enough", []change{lead(g1)}, judge.Pass, judge.Pass, "", "", "", ""},
		{"a second short, and nobody refused", []change{lead(g1 - time.Second)}, judge.Inconclusive, judge.Inconclusive,
			"held by luck: the lead is 16m14s and must be at least 16m15s for search (learns 15m + refresh of auth 45s + propagation 30s); nobody was refused this time", judge.Warning, "search", "rollout.lead: at least 16m15s"},
		{"a second short, and somebody refused", []change{lead(g1 - time.Second), refuse("app", "k2", 28.5, 29, 5)}, judge.Fail, judge.Fail,
			"the lead is 16m14s and must be at least 16m15s for search", judge.Warning, "search", "rollout.lead: at least 16m15s"},
		{"a window that is short", []change{limit(func(l *plan.Limits) { l.Window = 10 * time.Minute })}, judge.Inconclusive, judge.Inconclusive,
			"held by luck: the window is 10m and must be at least 10m30s (longest life 10m + propagation 30s); nobody was refused this time", judge.Warning, "", "overlap.window: at least 10m30s"},
		{"tokens that live longer than the page says", []change{limit(func(l *plan.Limits) { l.Clients[0].Life = 25 * time.Minute })}, judge.Fail, judge.Fail,
			"held by luck: the window is 12m and must be at least 25m30s: app keeps its tokens for 25m, and the page says 10m; nobody was refused this time", judge.Error, "app",
			"overlap.window: at least 25m30s, and write on the page what app really does"},
		{"an exception that the window does not wait for", []change{limit(func(l *plan.Limits) { l.Exceptions = []plan.Exception{{Client: "app", Until: time.Hour}} })}, judge.Inconclusive, judge.Inconclusive,
			"held by luck: the window is 12m and must be at least 1h (exception of app 1h); nobody was refused this time", judge.Warning, "app", "overlap.window: at least 1h"},
		{"a watch that is short", []change{limit(func(l *plan.Limits) { l.Watch = 16 * time.Minute })}, judge.Inconclusive, judge.Inconclusive,
			"held by luck: the watch is 16m and must be at least 16m15s for", judge.Warning, "checkout", "rollout.watch: at least 16m15s"},
		{"a watch that ends before it forgot", []change{limit(func(l *plan.Limits) { l.Validators[1].Forgets *= 2 }), still(0, 41, 60.4)}, judge.Inconclusive, judge.Inconclusive,
			"the watch is 20m and must be at least 31m15s for search", judge.Warning, "search", "rollout.watch: at least 31m15s"},
		{"nothing makes it forget, and it did", []change{forever("search")}, judge.Inconclusive, judge.Inconclusive,
			"held by luck: the watch is 20m, and no time is enough for search", judge.Warning, "search", "make search fetch anew, or restart it, as a step of the rollout: no rollout.watch is long enough"},
		{"a canary that one replica refused", []change{some(28, history.Canary, 16, 8)}, judge.Inconclusive, judge.Inconclusive,
			"held by luck: search refused the canary of k2 at the end of the lead in 8 of 25 answers: not all of its replicas had learned it; nobody was refused this time", judge.Warning, "search",
			"ask each replica of search by its own address, and prove every one before emitting"},
		{"a canary that was refused", []change{withoutProbes("search", history.Canary), some(28, history.Canary, 0, 5)}, judge.Inconclusive, judge.Inconclusive,
			"held by luck: search refused the canary of k2 at the end of the lead in 5 of 5 answers; nobody", judge.Warning, "search",
			"find out when search takes a new one, and emit after that (rollout.lead)"},
		{"a canary that was refused, and is like nothing that clients present", []change{withoutProbes("search", history.Canary), some(28, history.Canary, 0, 5), namesNone}, judge.Pass, judge.Inconclusive, "", "", "", ""},
		{"a canary that was refused once of many", []change{some(28, history.Canary, 73, 1)}, judge.Inconclusive, judge.Inconclusive,
			"search refused k2 in 1 of 75 answers", judge.Warning, "search", "watch search for longer before the accept, and ask each of its replicas by its own address"},
		{"a canary without an answer", []change{withoutProbes("search", history.Canary), asks(28, history.Canary, history.Unavailable)}, judge.Pass, judge.Pass, "", "", "", ""},
		{"a canary that was not known yet", []change{withoutProbes("search", history.Canary), answersCanary("404")}, judge.Inconclusive, judge.Inconclusive,
			"held by luck: search answered 404 to the canary of k2 at the end of the lead, and took it later: nothing shows that it took it at the emit; nobody", judge.Warning, "search",
			"find out when search takes a new one, and emit after that (rollout.lead)"},
		{"a canary that was too much", []change{withoutProbes("search", history.Canary), answersCanary("429")}, judge.Pass, judge.Pass, "", "", "", ""},
		{"a canary that was answered an error", []change{withoutProbes("search", history.Canary), answersCanary("503")}, judge.Pass, judge.Pass, "", "", "", ""},
		{"a sender of which nothing says when it switched", []change{limit(func(l *plan.Limits) {
			l.Family, l.Emitters = "webhook-secret", append(l.Emitters, plan.Emitter{Name: "app", OnPage: true, Refresh: 45 * time.Second})
		})}, judge.Inconclusive, judge.Inconclusive,
			"it cannot be told whether the window of 12m is long enough, or must be at least 18m15s: app presented k1 until 8m30s after the emit of k2, and the page says that it switches within 1m15s; nothing tells when it signed", judge.Warning, "",
			"find out whether all of app switches at once (each of its workers) and how long a delivery may wait; where one switches so late, overlap.window: at least 18m15s"},
		{"pauses that vary by chance, of which the longest did not come", append(fetchesAt("search", 1, 11.5, 29.5, 42.5, 59), lead(20*time.Minute), limit(func(l *plan.Limits) { l.Validators[1].Granule = 0 })), judge.Inconclusive, judge.Inconclusive,
			"held by luck: the lead is 20m and must be at least 21m15s for search: search was seen to fetch every 18m, and the page says that it learns within 15m; its pauses vary by chance (4 were seen, the shortest of 10m30s): that is their mean, and one of 19m30s may come; nobody was refused this time", judge.Warning, "search",
			"rollout.lead: at least 21m15s, and write on the page the longest pause that the settings of search allow (its interval and all of its jitter): only those tell it"},
		{"a cache before the issuer that may serve its copy for longer", []change{add(history.Event{At: at(1), Kind: history.KindLooked, Service: "auth", Set: &history.KeySet{Status: "200", Kept: at(10)}})}, judge.Inconclusive, judge.Inconclusive,
			"it cannot be told whether the lead of 18m is long enough, or must be at least 26m15s: auth is answered for by a cache (its answers have an Age), which may serve a copy for 10m (max-age and stale-while-revalidate of its Cache-Control), and the page has 0s for it", judge.Warning, "",
			"have the cache expire its copy sooner, or purge it with the accept and with the revoke; else rollout.lead: at least 26m15s"},
		{"idle sessions without a name that the revoke ended", []change{idleEnded("k1")}, judge.Inconclusive, judge.Inconclusive,
			"the revoke ended 3 sessions of k1 at search that were idle and whose client gave no name: a pooler between app and it would replace them unnoticed", judge.Warning, "", "name the pooler in the scenario, if there is one (services: NAME: {of: search}); have app say its name when it logs in, where the server tells it (application_name of PostgreSQL, CLIENT SETNAME of Redis), and close connections when they are as old as the page says"},
		{"a session that the revoke ended of who is not on the page", []change{add(history.Event{At: at(40.5), Kind: history.KindEnded, Service: "search", Reader: "listener", Credential: "k1"})}, judge.Inconclusive, judge.Inconclusive,
			"the revoke ended 1 session of k1 at search that listener, which is not on the page, still had: whom that hurt is not seen", judge.Warning, "listener", "put listener on the page, with how it comes by k2, and have it log in anew with that before the revoke"},
		{"idle sessions of the new one", []change{idleEnded("k2")}, judge.Pass, judge.Pass, "", "", "", ""},
		{"nothing was emitted", []change{lead(0), without(func(e history.Event) bool {
			return e.Kind == history.KindStep && e.Credential == "k2" && e.Step == "emit"
		})},
			judge.Pass, judge.Inconclusive, "", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "bounds", tt.want)
			if v.Verdict != tt.verdict {
				t.Errorf("verdict: got %s (%s), want %s", v.Verdict, v.Why, tt.verdict)
			}
			var found []judge.Finding
			for _, f := range v.Findings {
				if f.RuleID == "bounds" {
					found = append(found, f)
				}
			}
			switch {
			case tt.says == "" && len(found) > 0:
				t.Errorf("finding: got %s, want none", text(found[0]))
			case tt.says != "" && len(found) == 0:
				t.Errorf("finding: got none, want %q", tt.says)
			case tt.says != "":
				if f := found[0]; !strings.Contains(f.Message, tt.says) || f.Level != tt.level || f.Consumer != tt.who || f.Fix != tt.fix {
					t.Errorf("finding: got %s, fix %q; want %s, consumer %q, fix %q, and it to say %q", text(f), f.Fix, tt.level, tt.who, tt.fix, tt.says)
				}
			}
		})
	}
}

// TestPagesThatAreWrong rehearses healthy pages whose parties take longer than they
// say. Whatever the phases of their polls, such a run never passes; that of a party
// that does what the page says always does.
func TestPagesThatAreWrong(t *testing.T) {
	t.Parallel()
	m := func(minutes int) time.Duration { return time.Duration(minutes) * time.Minute }
	for _, tt := range []struct {
		name, scenario string
		world          func() simulated.Options
		who            string // empty: the page is right
	}{
		{"a validator that fetches as the page says", "jwt-signing-key/healthy",
			func() simulated.Options {
				return simulated.Options{Validators: map[string]simulated.Behaviour{"search": {Refresh: m(15)}}}
			}, ""},
		{"a validator that fetches more seldom", "jwt-signing-key/healthy",
			func() simulated.Options {
				return simulated.Options{Validators: map[string]simulated.Behaviour{"search": {Refresh: m(25)}}}
			}, "search"},
		{"an emitter that reads as the page says", "jwt-signing-key/healthy",
			func() simulated.Options {
				return simulated.Options{Refresh: map[string]time.Duration{"auth": 45 * time.Second}}
			}, ""},
		{"an emitter that reads more seldom", "jwt-signing-key/healthy",
			func() simulated.Options { return simulated.Options{Refresh: map[string]time.Duration{"auth": m(12)}} }, "auth"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for seed := range int64(seeds) {
				o := tt.world()
				o.Seed = seed + 1
				v := rehearse(t, tt.scenario, o).verdict
				if tt.who == "" {
					if v.Verdict != judge.Pass {
						t.Errorf("seed %d: got %s (%s), want pass", seed+1, v.Verdict, v.Why)
					}
					continue
				}
				if v.Verdict != judge.Fail {
					t.Errorf("seed %d: got %s (%s), want fail", seed+1, v.Verdict, v.Why)
				}
				for _, f := range failing(v) {
					// The way back waits for no longer than the page says either.
					if f.Consumer != tt.who && f.RuleID != "rollback" {
						t.Errorf("seed %d: finding: got %s, want one about %s", seed+1, text(f), tt.who)
					}
				}
			}
		})
	}
}

// TestNoLeadIsAdvisedToOneSlot: a receiver that has room for one secret takes the new one
// at the emit, and no lead would have it any sooner.
func TestNoLeadIsAdvisedToOneSlot(t *testing.T) {
	t.Parallel()
	v := rehearse(t, "webhook-secret/one-secret", simulated.Options{}).verdict
	if !slices.ContainsFunc(v.Findings, func(f judge.Finding) bool { return f.Cause == judge.CauseOneSlot }) {
		t.Fatalf("got %+v, want that there is one slot", v.Findings)
	}
	for _, f := range v.Findings {
		if f.RuleID == "bounds" {
			t.Errorf("got %s: %s, want nothing of the lead", f.Message, f.Fix)
		}
	}
}

// answersCanary adds an answer of search to the canary that neither takes nor refuses it.
// idleEnded has the revoke end sessions of app that were idle and had no name.
func idleEnded(credential string) change {
	return func(s *story) {
		for range 3 {
			s.add(history.Event{At: at(40.5), Kind: history.KindEnded, Service: "search", Reader: "app", Credential: credential, What: history.Idle})
		}
	}
}

func answersCanary(status string) change {
	e := probe(at(28), "search", "k2", history.Canary, history.Unavailable)
	e.Probe.Status = status
	return add(e)
}
