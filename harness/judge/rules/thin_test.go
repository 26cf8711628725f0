package rules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// namesNone has clients present what names no credential.
func namesNone(s *story) {
	for i := range s.events {
		if e := &s.events[i]; e.Kind == history.KindCounts {
			e.Counts.Credential = ""
		}
	}
}

// unread says that nothing was understood of the log of a service.
func unread(service string) change {
	return add(history.Event{At: at(1), Kind: history.KindUnread, Service: service, Count: 7, Detail: "7 lines of /var/log/x were read and none was understood"})
}

func TestThin(t *testing.T) {
	t.Parallel()
	harnessErrors := func(s *story) {
		s.buckets("app", "", 41, 60.5, func(_ history.Offset, c *history.Counts) { c.OK, c.HarnessErrors = 0, c.OK })
	}
	for _, tt := range []struct {
		name    string
		changes []change
		says    string
	}{
		{"no end", []change{ended("")}, "no end in the history"},
		{"interrupted", []change{ended(history.EndedInterrupted)}, "was interrupted"},
		{"stopped", []change{ended(history.EndedStopped)}, "was stopped"},
		{"tokens that name no key", []change{namesNone}, "attempts presented something that names no credential of this run, as a token without a kid"},
		{"no traffic", []change{silent("app", 0, 61), silent("web", 0, 61)}, "nobody presented a credential"},
		{"a log that nobody understands", []change{silent("app", 0, 61), silent("web", 0, 61), unread("search")}, "what search decides is not known: 7 lines of /var/log/x were read and none was understood"},
		{"a log that somebody understood later", []change{silent("app", 0, 61), silent("web", 0, 61), unread("search"), add(history.Event{At: at(2), Kind: history.KindUnread, Service: "search"})}, "nobody presented a credential"},
		{"a log that nobody understands, so that a gate stopped the rotation", []change{silent("app", 0, 61), silent("web", 0, 61), unread("search"), ended(history.EndedStopped)}, "what search decides is not known"},
		{"a log of two that nobody understands", []change{unread("ledger"), limit(func(l *plan.Limits) {
			l.Validators = append(l.Validators, plan.Validator{Name: "ledger", OnPage: true, From: "auth"})
		})}, "what ledger decides is not known: 7 lines"},
		{"an emitter that only such a log would tell of", []change{unread("ledger"), limit(func(l *plan.Limits) {
			l.Emitters = append(l.Emitters, plan.Emitter{Name: "backup", OnPage: true})
		})}, "what ledger decides is not known: 7 lines"},
		{"no phase", []change{withoutKind(history.KindPhase, "")}, "no phase began"},
		{"complete without a revoke", []change{without(func(e history.Event) bool { return e.Step == "revoke" })}, "nothing shows the revoke of k1"},
		{"complete without an emit", []change{without(func(e history.Event) bool { return e.Step == "emit" && e.Credential == "k2" })}, "nothing shows the emit of k2"},
		{"one client not seen", []change{silent("web", 0, 61)}, "web had 0 answers from checkout in baseline"},
		{"load dead in the middle", []change{silent("app", 35, 61), silent("web", 35, 61)}, "app had 0 answers from search in watch, and 2000 were due"},
		{"load dead at the end", []change{silent("app", 54, 61)}, "app had 0 answers from search from 55m to 1h"},
		{"load dead for a while", []change{silent("app", 44, 52)}, "app had 0 answers from search from 45m to 50m"},
		{"less than half of what is due", []change{part(41, 61, 4)}, "app had 830 answers from search in watch, and 2000 were due"},
		{"nothing but our own errors", []change{harnessErrors}, "app had 50 answers from search in watch"},
		{"a consumer that is down", []change{unavailable("app", 45, 61)}, "answers from search"},
		{"a consumer that answers badly throughout", []change{unavailable("app", 0, 61)}, "app had 0 answers from search in baseline"},
		{"nobody with the new credential", []change{func(s *story) {
			s.buckets("app", "k2", 0, 61, func(_ history.Offset, c *history.Counts) { c.Credential = "k1" })
		}}, "app never presented k2 to search"},
		{"an emitter of which nothing was seen", []change{limit(func(l *plan.Limits) {
			l.Emitters = append(l.Emitters, plan.Emitter{Name: "backup", OnPage: true})
		})}, "nothing that backup made was presented"},
		{"a slow client that was never answered", []change{limit(func(l *plan.Limits) {
			l.Clients = append(l.Clients, plan.Client{Name: "job", To: "search", From: "auth", Rate: 0.01, Sessions: 1})
		})}, "job had no answer from search in the whole run"},
		{"a validator that no load reaches", []change{limit(func(l *plan.Limits) {
			l.Validators = append(l.Validators, plan.Validator{Name: "ledger", OnPage: true, From: "auth"})
		})}, "k1 was presented to ledger 0 times"},
		{"a validator that is reached by one that no load reaches", []change{limit(func(l *plan.Limits) {
			l.Validators = append(l.Validators, plan.Validator{Name: "ledger", OnPage: true, From: "auth", Fronts: []string{"gate"}})
		})}, "k1 was presented to ledger 0 times"},
		{"a validator that only a slow client reaches", []change{onlySlowJob}, "k1 was presented to search 15 times"},
		{"a slow client that died", []change{slowJob, silent("job", 20, 61)}, "job had 0 answers from search from 20m30s to 1h0m30s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "auth-failures-flat", judge.Inconclusive)
			if v.AuthFailures != judge.CannotTell || v.Verdict == judge.Pass {
				t.Errorf("verdict: got %s, %s, want no pass and cannot_tell", v.Verdict, v.AuthFailures)
			}
			if got := rule(t, v, "auth-failures-flat").Detail; !strings.Contains(got, tt.says) {
				t.Errorf("detail: got %q, want it to say %q", got, tt.says)
			}
		})
	}
}

// TestThinByThePlan: a client whose rate the run changed is missed while it is to send, and
// not before it begins or after it has ended.
func TestThinByThePlan(t *testing.T) {
	t.Parallel()
	rate := func(at history.Offset, rate float64) change {
		return add(history.Event{At: at, Kind: history.KindRate, Service: "app", Rate: &rate})
	}
	later := limit(func(l *plan.Limits) { l.Clients[0].Later = true })
	for _, tt := range []struct {
		name    string
		changes []change
		says    string // "": nothing is missed
	}{
		{"it ended", []change{rate(at(54), 0), silent("app", 54, 61)}, ""},
		{"what it calls stands before another", []change{limit(func(l *plan.Limits) {
			l.Validators = append(l.Validators, plan.Validator{Name: "ledger", OnPage: true, From: "auth", Fronts: []string{"search"}})
		})}, ""},
		{"it ended too soon", []change{rate(at(54), 0), silent("app", 40, 61)}, "app had 0 answers from search in watch, and 1350 were due"},
		{"it begins later", []change{later, rate(at(8), 100), silent("app", 0, 8)}, ""},
		{"it never began", []change{later, rate(at(8), 100), silent("app", 0, 61)}, "app had 0 answers"},
		{"it is to send more than it does", []change{rate(at(45), 1000)}, "app had 2000 answers from search in watch, and 15950 were due"},
		{"it is to send less", []change{rate(at(45), 10), part(45, 61, 1)}, ""},
		{"its time was over before the emit", []change{rate(at(20), 0), silent("app", 20, 61)}, "k2 was presented to search 0 times"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := rule(t, judged(t, tt.changes...), "auth-failures-flat")
			if want := tt.says == ""; want != (got.Outcome == judge.Pass) || !strings.Contains(got.Detail, tt.says) {
				t.Errorf("got %s, %q; want it to say %q", got.Outcome, got.Detail, tt.says)
			}
		})
	}
}

// part leaves n of the ten attempts in each bucket of app in a stretch.
func part(from, to float64, n int64) change {
	return func(s *story) {
		s.buckets("app", "", from, to, func(_ history.Offset, c *history.Counts) { c.Attempts, c.OK = n, n })
	}
}

// onlySlowJob leaves search to a slow client.
func onlySlowJob(s *story) {
	s.limits.Clients = slices.DeleteFunc(s.limits.Clients, func(c plan.Client) bool { return c.To == "search" })
	s.events = slices.DeleteFunc(s.events, func(e history.Event) bool {
		return e.Kind == history.KindCounts && e.Counts.Validator == "search"
	})
	slowJob(s)
}

// slowJob adds a client of one attempt in two seconds.
func slowJob(s *story) {
	s.limits.Clients = append(s.limits.Clients, plan.Client{Name: "job", To: "search", From: "auth", Rate: 0.5, Sessions: 1})
	for i := range 30 {
		bucket := history.Offset(i) * 2000 * millisecond
		credential := "k1"
		if bucket > at(28.4) {
			credential = "k2"
		}
		s.add(counts(bucket, "job", "search", credential, 1))
	}
}

func TestEnough(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		changes []change
	}{
		{"a slow client", []change{slowJob}},
		{"more than half of what is due", []change{part(41, 61, 6)}},
		{"a pacer that stood still for a second", []change{silent("app", 45, 46)}},
		{"an emitter off the page that made nothing", []change{limit(func(l *plan.Limits) {
			l.Emitters = append(l.Emitters, plan.Emitter{Name: "backup"})
		})}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			if v.Verdict != judge.Pass {
				t.Errorf("verdict: got %s (%s), want pass", v.Verdict, v.Why)
			}
		})
	}
}

// atTheAuthority turns a story into that of a secret which a consumer presents
// to an authority: app calls search as a user does, and search presents its key
// to a provider, once for each request.
func atTheAuthority(s *story) {
	s.limits.JudgedAt = history.FromAuthority
	s.limits.Clients = []plan.Client{{Name: "app", To: "search", Rate: 100, Sessions: sessions}}
	s.limits.Emitters = []plan.Emitter{{Name: "search", OnPage: true}}
	s.limits.Validators = []plan.Validator{{Name: "provider", OnPage: true, Authority: true}}
	silent("web", 0, 61)(s)
	s.add(emitting(0, "search", "k1"), emitting(at(28.4), "search", "k2"))
	s.add(probe(at(41), "provider", "k1", history.OldAfter, history.AuthFailure), probe(at(60), "provider", "k2", history.NewAfter, history.OK))
	var fronts []history.Event
	for i, e := range s.events {
		if e.Kind != history.KindCounts {
			continue
		}
		front := counts(e.At, "app", "search", "", e.Counts.Attempts)
		fronts = append(fronts, front)
		s.events[i].Counts.Source = history.FromAuthority
		s.events[i].Counts.Presenter, s.events[i].Counts.Validator = "search", "provider"
	}
	s.add(fronts...)
}

func TestThinAtTheAuthority(t *testing.T) {
	t.Parallel()
	refused := func(s *story) {
		refuse("search", "k2", 45, 60.5, 10)(s)
		unavailable("app", 45, 60.5)(s)
	}
	// k1 is presented before the rotation begins, and not since.
	early := func(s *story) {
		s.events[slices.IndexFunc(s.events, func(e history.Event) bool { return e.Kind == history.KindPhase })].At = at(2)
		without(func(e history.Event) bool {
			return e.Kind == history.KindCounts && e.Counts.Presenter == "search" && e.Credential == "k1" && e.At >= at(2)
		})(s)
	}
	pool := limit(func(l *plan.Limits) { l.Family = "database-password" })
	for uncounted, want := range map[bool]string{true: "(attach.decisions.provider: {file, accepted, refused})", false: "k1 was presented to provider 0 times"} {
		v := judged(t, atTheAuthority, early, limit(func(l *plan.Limits) { l.Validators[0].Uncounted = uncounted }))
		if !strings.Contains(v.Why, want) {
			t.Errorf("nothing tells of it: %v: got %q, want it to say %q", uncounted, v.Why, want)
		}
	}
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Flatness
		verdict judge.Outcome
	}{
		{"healthy", nil, judge.Flat, judge.Pass},
		{"the old one was presented before it began", []change{early}, judge.CannotTell, judge.Inconclusive},
		{"the old one was presented before it began, by a pool that serves on", []change{early, pool}, judge.Flat, judge.Pass},
		{"load dead in the middle", []change{silent("app", 42, 61), silent("search", 42, 61)}, judge.CannotTell, judge.Inconclusive},
		{"the consumer is down", []change{unavailable("app", 42, 61), silent("search", 42, 61)}, judge.CannotTell, judge.Fail},
		{"the consumer presents nothing", []change{silent("search", 0, 61)}, judge.CannotTell, judge.Inconclusive},
		{"the consumer is refused", []change{refused}, judge.NotFlat, judge.Fail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, append([]change{atTheAuthority}, tt.changes...)...)
			if v.AuthFailures != tt.want || v.Verdict != tt.verdict {
				t.Errorf("verdict: got %s, %s (%s), want %s, %s", v.Verdict, v.AuthFailures, v.Why, tt.verdict, tt.want)
			}
		})
	}
}

// A pacer that stood still for a moment catches up, also where that moment was
// the better part of a phase.
func TestShortStallIsNotThin(t *testing.T) {
	t.Parallel()
	v := judged(t, silent("app", 40.5, 41))
	wantRule(t, v, "auth-failures-flat", judge.Pass)
}

// TestASlowClientIsNotMissed has a client whose first answers come seconds after it
// began to ask: in that time none was due.
func TestASlowClientIsNotMissed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		micros int64 // of each answer
		want   judge.Outcome
	}{
		{"answers take 3.5 s", 3_500_000, judge.Pass},
		{"answers take a millisecond", 1000, judge.Inconclusive},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, silent("app", 0, 3.5), func(s *story) {
				s.buckets("app", "", 0, 61, func(_ history.Offset, c *history.Counts) { c.Latency = [][2]int64{{tt.micros, c.Attempts}} })
			}, shortBaseline)
			wantRule(t, v, "auth-failures-flat", tt.want)
		})
	}
}

// shortBaseline ends the baseline after five seconds.
func shortBaseline(s *story) {
	for i := range s.events {
		e := &s.events[i]
		if e.At == at(10) && (e.Kind == history.KindPhase || e.Kind == history.KindGate || e.Kind == history.KindStep || e.Kind == history.KindCredential) {
			e.At = at(5)
		}
	}
}
