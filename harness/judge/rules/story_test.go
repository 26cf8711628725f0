package rules_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// story is a small history made by hand. As it begins it is a healthy rotation
// at speed 60, so that a second of it is a minute of the page:
//
//	0s baseline  10s accept, verify  28s emit  28.5s overlap  40.5s revoke, watch  60.5s end
//
// web calls checkout, which learns when it meets a key; app calls search, which
// learns by expiry. Each sends 100 attempts a second, of 50 sessions. Tokens of
// k1 are in use until 36.5s.
type story struct {
	limits   plan.Limits
	events   []history.Event       // but for the plan
	totals   func(*history.Totals) // changes those that agree
	silent   bool                  // no totals at all
	counters []history.Counter     // of validators that are not the run's own
}

// change breaks one thing of a story, or adds one.
type change func(*story)

// sessions is how many each client has.
const sessions = 50

const millisecond = history.Offset(time.Millisecond)

// at is an offset in seconds.
func at(seconds float64) history.Offset { return history.Offset(seconds * float64(time.Second)) }

// healthy is a story in which nothing goes wrong.
func healthy() *story {
	s := &story{limits: plan.Limits{
		Family: "jwt-signing-key", Speed: 60, JudgedAt: history.FromLoad, Objective: 0.999, BudgetOver: 0.01, BudgetFor: 10 * time.Second,
		Gates: "enforce", OnBudget: "rollback",
		Lead: 18 * time.Minute, Propagation: 30 * time.Second, Window: 12 * time.Minute, Watch: 20 * time.Minute, LongestLife: 10 * time.Minute,
		Validators: []plan.Validator{
			{Name: "checkout", OnPage: true, Forgets: 15 * time.Minute, From: "auth", OnMiss: true},
			{Name: "search", OnPage: true, Learns: 15 * time.Minute, Forgets: 15 * time.Minute, Granule: 2 * time.Second, From: "auth"},
		},
		Emitters: []plan.Emitter{{Name: "auth", OnPage: true, Refresh: 45 * time.Second}},
		Clients: []plan.Client{
			{Name: "app", To: "search", From: "auth", Rate: 100, Sessions: sessions, Life: 10 * time.Minute},
			{Name: "web", To: "checkout", From: "auth", Rate: 100, Sessions: sessions, Life: 10 * time.Minute},
		},
	}}
	s.phases()
	s.parties()
	s.traffic("app", "search")
	s.traffic("web", "checkout")
	return s
}

// phases are the rotation's own events.
func (s *story) phases() {
	made := func(at history.Offset, phase history.Phase, credential string) {
		s.add(history.Event{At: at, Kind: history.KindCredential, Phase: phase, Credential: credential, Identifier: "kid-" + credential})
	}
	gate := func(at history.Offset, phase history.Phase) {
		s.add(history.Event{At: at, Kind: history.KindGate, Phase: phase, Gate: &history.Gate{Phase: phase, Mode: "enforce", Held: true}})
	}
	phase := func(at history.Offset, phase history.Phase) {
		s.add(history.Event{At: at, Kind: history.KindPhase, Phase: phase})
	}
	made(0, "", "k1")
	s.add(step(0, "", "accept", "k1"), step(0, "", "emit", "k1"))
	phase(0, history.Baseline)
	gate(at(10), history.Baseline)
	phase(at(10), history.Accept)
	made(at(10), history.Accept, "k2")
	s.add(step(at(10), history.Accept, "accept", "k2"))
	phase(at(10), history.Verify)
	gate(at(28), history.Verify)
	phase(at(28), history.Emit)
	s.add(step(at(28), history.Emit, "emit", "k2"))
	gate(at(28.5), history.Emit)
	phase(at(28.5), history.Overlap)
	gate(at(40.5), history.Overlap)
	phase(at(40.5), history.Revoke)
	s.add(step(at(40.5), history.Revoke, "revoke", "k1"))
	phase(at(40.5), history.Watch)
	gate(at(60.5), history.Watch)
	s.add(step(at(60.5), history.Watch, "destroy", "k1"))
	s.add(history.Event{At: at(60.5), Kind: history.KindEnd, Phase: history.Watch, Detail: history.EndedComplete})
	s.add(history.Event{At: at(61), Kind: history.KindLeaks, Leaks: &history.Leaks{Searched: 4096}})
}

// parties are what the logs tell, and the probes.
func (s *story) parties() {
	s.add(published(0, "auth", "k1"), published(at(10.2), "auth", "k1", "k2"), published(at(40.7), "auth", "k2"))
	s.add(emitting(0, "auth", "k1"), emitting(at(28.4), "auth", "k2"))
	s.add(learned(0, "checkout", "k1"), learned(0, "search", "k1"))
	s.add(fetched(at(4), "search", "auth", "k1"), fetched(at(20), "search", "auth", "k1", "k2"), learned(at(20), "search", "k2"))
	s.add(fetched(at(28), "checkout", "auth", "k1", "k2"), learned(at(28), "checkout", "k2"))
	s.add(probe(at(28), "checkout", "k2", history.Canary, history.OK), probe(at(28), "search", "k2", history.Canary, history.OK))
	for _, name := range []string{"checkout", "search"} {
		s.add(probe(at(40.6), name, "k1", history.OldAfter, history.OK))
		s.add(probe(at(50), name, "k1", history.OldAfter, history.AuthFailure))
		s.add(probe(at(60.4), name, "k2", history.NewAfter, history.OK))
	}
}

// traffic counts ten attempts of a client in each tenth of a second.
func (s *story) traffic(presenter, validator string) {
	for i := range 605 {
		bucket := history.Offset(i) * 100 * millisecond
		switch {
		case bucket < at(28.4):
			s.add(counts(bucket, presenter, validator, "k1", 10))
		case bucket < at(36.5):
			s.add(counts(bucket, presenter, validator, "k1", 5), counts(bucket, presenter, validator, "k2", 5))
		default:
			s.add(counts(bucket, presenter, validator, "k2", 10))
		}
	}
}

// The events of a history.

func step(at history.Offset, phase history.Phase, step, credential string) history.Event {
	return history.Event{At: at, Kind: history.KindStep, Phase: phase, Step: step, Credential: credential}
}

func published(at history.Offset, service string, credentials ...string) history.Event {
	return history.Event{At: at, Kind: history.KindPublished, Service: service, Credentials: credentials}
}

func emitting(at history.Offset, service, credential string) history.Event {
	return history.Event{At: at, Kind: history.KindEmitting, Service: service, Credential: credential}
}

func learned(at history.Offset, service, credential string) history.Event {
	return history.Event{At: at, Kind: history.KindLearned, Service: service, Credential: credential}
}

func fetched(at history.Offset, service, from string, credentials ...string) history.Event {
	return history.Event{At: at, Kind: history.KindFetched, Service: service, From: from, Credentials: credentials, Holds: credentials}
}

// turnedAway is a request for the key set that was answered 429.
func turnedAway(moment float64, reader string) history.Event {
	return history.Event{At: at(moment), Kind: history.KindRead, Service: "auth", Reader: reader, What: "jwks", Detail: "429"}
}

func probe(at history.Offset, service, credential string, purpose history.Purpose, outcome history.Outcome) history.Event {
	return history.Event{At: at, Kind: history.KindProbe, Service: service, Credential: credential,
		Probe: &history.Probe{Purpose: purpose, Outcome: outcome, Status: string(outcome)}}
}

// agreement is that authority and store were compared at the end of a way back.
func agreement(compared bool, differences ...string) history.Event {
	return history.Event{At: at(49.5), Kind: history.KindAgreement, Phase: history.Rollback,
		Agreement: &history.Agreement{Compared: compared, Differences: differences}}
}

func fault(at history.Offset, kind, target, stage string, took bool) history.Event {
	return history.Event{At: at, Kind: history.KindFault, Service: target,
		Fault: &history.Fault{Kind: kind, Target: target, Stage: stage, Took: took}}
}

func counts(at history.Offset, presenter, validator, credential string, n int64) history.Event {
	return history.Event{At: at, Kind: history.KindCounts, Credential: credential, Counts: &history.Counts{
		Source: history.FromLoad, Presenter: presenter, Validator: validator, Credential: credential, Width: 100 * millisecond,
		Attempts: n, OK: n, Statuses: map[string]int64{"200": n}, Latency: [][2]int64{{1000, n}},
	}}
}

func (s *story) add(events ...history.Event) { s.events = append(s.events, events...) }

// Changes.

func add(events ...history.Event) change { return func(s *story) { s.add(events...) } }

// without takes out events.
func without(match func(history.Event) bool) change {
	return func(s *story) { s.events = slices.DeleteFunc(s.events, match) }
}

// withoutKind takes out all events of a kind, or those about one service.
func withoutKind(kind history.Kind, service string) change {
	return without(func(e history.Event) bool { return e.Kind == kind && (service == "" || e.Service == service) })
}

// withoutProbes takes out the probes of a purpose at a validator.
func withoutProbes(service string, purpose history.Purpose) change {
	return without(func(e history.Event) bool {
		return e.Kind == history.KindProbe && e.Service == service && e.Probe.Purpose == purpose
	})
}

// move gives a step, and what else begins with it, another time.
func move(kind history.Kind, name string, to history.Offset) change {
	return func(s *story) {
		for i, e := range s.events {
			if e.Kind == kind && e.At > 0 && (e.Step == name || string(e.Phase) == name && kind == history.KindPhase || kind == history.KindEmitting && e.Service == name) {
				s.events[i].At = to
			}
		}
	}
}

func limit(f func(*plan.Limits)) change { return func(s *story) { f(&s.limits) } }

func totals(f func(*history.Totals)) change { return func(s *story) { s.totals = f } }

// noTotals takes the totals away.
func noTotals(s *story) { s.silent = true }

// ended replaces how the rotation ended; nothing: it has no end.
func ended(how string) change {
	return func(s *story) {
		s.events = slices.DeleteFunc(s.events, func(e history.Event) bool { return e.Kind == history.KindEnd })
		if how != "" {
			s.add(history.Event{At: at(60.5), Kind: history.KindEnd, Detail: how})
		}
	}
}

// buckets calls f with the counts of a cell in [from, to).
func (s *story) buckets(presenter, credential string, from, to float64, f func(history.Offset, *history.Counts)) {
	for _, e := range s.events {
		if e.Kind == history.KindCounts && e.Counts.Presenter == presenter && (credential == "" || e.Counts.Credential == credential) &&
			e.At >= at(from) && e.At < at(to) {
			f(e.At, e.Counts)
		}
	}
}

// refuse turns attempts of each bucket of a cell in [from, to) into auth
// failures: n of them, or as many as there are, of one session after another.
func refuse(presenter, credential string, from, to float64, n int64) change {
	return func(s *story) {
		i := 0
		s.buckets(presenter, credential, from, to, func(at history.Offset, c *history.Counts) {
			for range min(n, c.OK) {
				i++
				fail(at, c, fmt.Sprintf("%s-%d", presenter, i%sessions+1))
			}
		})
	}
}

// fail turns an attempt of a bucket into an auth failure of a session.
func fail(at history.Offset, c *history.Counts, session string) {
	c.OK, c.AuthFailures = c.OK-1, c.AuthFailures+1
	c.Statuses["200"], c.Statuses["401"] = c.OK, c.AuthFailures
	c.FirstFailure, c.LastFailure = at+millisecond, at+90*millisecond
	if c.FailedSessions == nil {
		c.FailedSessions = map[string]int64{}
	}
	c.FailedSessions[session]++
}

// unavailable takes the answers of a client away in [from, to).
func unavailable(presenter string, from, to float64) change {
	return func(s *story) {
		s.buckets(presenter, "", from, to, func(_ history.Offset, c *history.Counts) {
			c.Unavailable, c.OK, c.Statuses = c.OK, 0, map[string]int64{"refused": c.OK}
		})
	}
}

// silent takes the attempts of a client away in [from, to).
func silent(presenter string, from, to float64) change {
	return without(func(e history.Event) bool {
		return e.Kind == history.KindCounts && e.Counts.Presenter == presenter && e.At >= at(from) && e.At < at(to)
	})
}

// history is the story as a run would have recorded it, with totals that agree.
func (s *story) history(t testing.TB) *history.History {
	t.Helper()
	limits, err := json.Marshal(s.limits)
	if err != nil {
		t.Fatalf("encode limits: %v", err)
	}
	sum := history.Totals{Complete: true}
	for _, e := range s.events {
		switch {
		case e.Kind == history.KindProbe:
			sum.Probes++
			sum.Scheduled++
		case e.Kind == history.KindCounts && e.Counts.Source == s.limits.JudgedAt:
			sum.Scheduled += e.Counts.Attempts
			sum.Retried += e.Counts.Retries
			sum.Unanswered += e.Counts.Unavailable
		}
	}
	sum.Sent = sum.Scheduled + sum.Retried
	sum.Recorded, sum.Served = sum.Sent, sum.Sent-sum.Unanswered
	if s.totals != nil {
		s.totals(&sum)
	}
	events := slices.Clone(s.events)
	if !s.silent {
		events = append(events, history.Event{At: at(61), Kind: history.KindTotals, Totals: &sum, Counters: s.counters})
	}
	slices.SortStableFunc(events, func(a, b history.Event) int { return cmp.Compare(a.At, b.At) })
	return &history.History{Events: slices.Insert(events, 0, history.Event{Kind: history.KindPlan, Plan: limits})}
}

// tell is a healthy story with changes.
func tell(changes ...change) *story {
	s := healthy()
	for _, c := range changes {
		c(s)
	}
	return s
}

// judged is the verdict on a healthy story with changes.
func judged(t *testing.T, changes ...change) judge.Verdict {
	t.Helper()
	s := tell(changes...)
	return rules.Judge(s.history(t), s.limits)
}

// rule is the outcome of one rule.
func rule(t *testing.T, v judge.Verdict, id string) judge.Rule {
	t.Helper()
	i := slices.IndexFunc(v.Rules, func(r judge.Rule) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("rule %s: not in the verdict", id)
	}
	return v.Rules[i]
}

// forever is what a validator without an expiry has on its page.
func forever(name string) change {
	return limit(func(l *plan.Limits) {
		for i := range l.Validators {
			if l.Validators[i].Name == name {
				l.Validators[i].Forgets = runbook.Forever
			}
		}
	})
}
