package simulated

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

const page = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: session-key, family: jwt-signing-key}
storage: {store: vault, publish: {path: secret/data/auth/key}, distribution: jwks, jwks: /.well-known/jwks.json}
consumers:
  - {name: auth, roles: [emit], refresh: 1m}
  - {name: checkout, roles: [validate], library: keyfunc}
  - {name: search, roles: [validate], library: jwx}
format: {type: ES256, identifier: kid, longest_life: 10m}
rollout: {lead: 18m, propagation: 30s, watch: 63m}
overlap: {window: 12m}
verification: {slo: {objective: 99.9%}}
rollback: {when: {auth_failures_over: 1%, for: 10s}}
schedule: {}
`

const base = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
speed: 60
services:
  auth: {serve: issuer}
  cdn: {serve: cache, of: auth, ttl: 6m}
  checkout: {serve: verifier, of: cdn}
  search: {serve: verifier}
load:
  - {client: web, to: checkout, rate: 40/s, sessions: 20, token: {from: auth, life: 10m}}
  - {client: app, to: search, rate: 20/s, sessions: 10, token: {from: auth, life: 10m}}
`

// planned is the plan of the base scenario after replacing texts in either file.
func planned(t *testing.T, replace ...string) *plan.Plan {
	t.Helper()
	replacer := strings.NewReplacer(replace...)
	loaded, err := scenario.Load(fstest.MapFS{
		"page.yaml":     {Data: []byte(replacer.Replace(page))},
		"scenario.yaml": {Data: []byte(replacer.Replace(base))},
	}, "scenario.yaml")
	if err != nil {
		t.Fatalf("load scenario: %v", err)
	}
	p, err := plan.Build(loaded, plan.Options{})
	if err != nil {
		t.Fatalf("build plan: %v", err)
	}
	return p
}

// act is a step at a wall time after the start, with its credential made first
// where it is new.
type act struct {
	after      time.Duration
	step       keyring.Step
	credential string
}

// live runs a world for a wall time, with k1 emitted from the start and other steps
// at their times, and returns its history.
func live(t *testing.T, p *plan.Plan, o Options, length time.Duration, acts ...act) *history.History {
	t.Helper()
	w := New(p, o)
	bound := w.World()
	for _, a := range append([]act{{0, keyring.Accept, "k1"}, {0, keyring.Emit, "k1"}}, acts...) {
		pass(t, bound, a.after-w.now().Duration())
		take(t, bound, a.step, a.credential)
	}
	pass(t, bound, length-w.now().Duration())
	if err := bound.Faults.Undo(t.Context()); err != nil {
		t.Errorf("undo faults: %v", err)
	}
	h, err := w.Finish()
	if err != nil {
		t.Fatalf("finish: %v", err)
	}
	return h
}

// sum adds up the counts of a presenter from an offset on.
func sum(h *history.History, presenter string, from time.Duration) history.Counts {
	var total history.Counts
	for _, e := range h.Events {
		if e.Kind == history.KindCounts && e.Counts.Presenter == presenter && e.At >= history.Offset(from) {
			total.Add(e.Counts)
		}
	}
	return total
}

// of are the events of a kind about a service.
func of(h *history.History, kind history.Kind, service string) []history.Event {
	var found []history.Event
	for _, e := range h.Events {
		if e.Kind == kind && e.Service == service {
			found = append(found, e)
		}
	}
	return found
}

func TestSameSeedSameHistory(t *testing.T) {
	rotate := []act{{3 * time.Second, keyring.Accept, "k2"}, {20 * time.Second, keyring.Emit, "k2"}, {30 * time.Second, keyring.Revoke, "k1"}}
	run := func(seed int64) []byte {
		text, err := json.Marshal(live(t, planned(t), Options{Seed: seed, Failing: 0.01}, 40*time.Second, rotate...))
		if err != nil {
			t.Fatalf("marshal: %v", err)
		}
		return text
	}
	first := run(7)
	for range 3 {
		if string(run(7)) != string(first) {
			t.Fatal("two runs with seed 7 differ, want the same history")
		}
	}
	if string(run(8)) == string(first) {
		t.Error("runs with seeds 7 and 8 are the same, want other phases of polls and sessions")
	}
}

func TestHistoryIsWhatItsFileKeeps(t *testing.T) {
	h := live(t, planned(t), Options{Failing: 0.05}, 5*time.Second)
	for i, e := range h.Events {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("event %d: marshal: %v", i, err)
		}
		var back history.Event
		if err := json.Unmarshal(line, &back); err != nil {
			t.Fatalf("event %d: unmarshal: %v", i, err)
		}
		again, err := json.Marshal(back)
		if err != nil {
			t.Fatalf("event %d: marshal again: %v", i, err)
		}
		if back.At != e.At || string(again) != string(line) {
			t.Errorf("event %d: got back %s, want %s", i, again, line)
		}
	}
}

func TestFirstAndLastEvents(t *testing.T) {
	p := planned(t)
	h := live(t, p, Options{}, 2*time.Second)
	var limits plan.Limits
	if err := json.Unmarshal(h.Events[0].Plan, &limits); err != nil || h.Events[0].Kind != history.KindPlan {
		t.Fatalf("first event: got %s, %v, want the plan", h.Events[0].Kind, err)
	}
	if !reflect.DeepEqual(limits, p.Limits) {
		t.Errorf("limits: got %+v\nwant %+v", limits, p.Limits)
	}
	last := h.Events[len(h.Events)-2:]
	if last[0].Kind != history.KindTotals || last[1].Kind != history.KindLeaks {
		t.Errorf("last events: got %s and %s, want totals and leaks", last[0].Kind, last[1].Kind)
	}
}

func TestTotalsAgree(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options Options
	}{
		{"undisturbed", Options{}},
		{"refusals", Options{Failing: 0.1}},
		{"a validator down", Options{Down: map[string]Span{"search": {From: Moment{After: time.Second}, For: time.Second}}}},
		{"an emitter down for longer than tokens live", Options{Down: map[string]Span{"auth": {From: Moment{After: time.Second}}}}},
		{"load that dies", Options{LoadDiesAt: &Moment{After: 3 * time.Second}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := live(t, planned(t), tt.options, 20*time.Second)
			got := h.Events[len(h.Events)-2].Totals
			var counts history.Counts
			for _, e := range h.Events {
				if e.Kind == history.KindCounts {
					counts.Add(e.Counts)
				}
			}
			if got.Recorded != counts.Attempts+counts.Retries || got.Recorded != got.Sent {
				t.Errorf("recorded %d, sent %d, want both %d as counted", got.Recorded, got.Sent, counts.Attempts+counts.Retries)
			}
			if got.Scheduled != got.Sent-got.Retried+got.NotSent {
				t.Errorf("scheduled %d, want sent %d - retried %d + not sent %d", got.Scheduled, got.Sent, got.Retried, got.NotSent)
			}
			if got.Served+got.Unanswered != got.Sent || got.Unanswered != counts.Unavailable {
				t.Errorf("served %d and unanswered %d, want together %d, unanswered %d", got.Served, got.Unanswered, got.Sent, counts.Unavailable)
			}
			if !got.Complete {
				t.Error("complete: got false, want true")
			}
		})
	}
}

func TestTotalsCanBeMadeToDisagree(t *testing.T) {
	h := live(t, planned(t), Options{Totals: func(t *history.Totals) { t.Served -= 5 }}, time.Second)
	if got := h.Events[len(h.Events)-2].Totals; got.Served != got.Sent-5 {
		t.Errorf("served: got %d, want 5 less than the %d sent", got.Served, got.Sent)
	}
}

func TestRates(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options Options
		want    int64 // of web's 40/s in 10 s
	}{
		{"as planned", Options{}, 400},
		{"cut", Options{RateFactor: 0.25}, 100},
		{"until it dies", Options{LoadDiesAt: &Moment{After: 4 * time.Second}}, 160},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := live(t, planned(t), tt.options, 10*time.Second)
			if got := sum(h, "web", 0).Attempts; got < tt.want-1 || got > tt.want+1 {
				t.Errorf("attempts of web: got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestFailingBaseline(t *testing.T) {
	h := live(t, planned(t), Options{Failing: 0.1}, 100*time.Second)
	c := sum(h, "web", 0)
	if share := float64(c.AuthFailures) / float64(c.Attempts); math.Abs(share-0.1) > 0.02 {
		t.Errorf("refused: got %.3f of %d attempts, want about 0.1", share, c.Attempts)
	}
	if c.OK+c.AuthFailures != c.Attempts || c.Statuses["401"] != c.AuthFailures {
		t.Errorf("counts: got %d ok, %d refused, %d with status 401 of %d", c.OK, c.AuthFailures, c.Statuses["401"], c.Attempts)
	}
	if c.FirstFailure <= 0 || c.LastFailure < c.FirstFailure || len(c.Examples) == 0 {
		t.Errorf("failures: got first %s, last %s, %d examples, want all of them", c.FirstFailure.Wall(), c.LastFailure.Wall(), len(c.Examples))
	}
}

func TestUnknownNamesPanic(t *testing.T) {
	p := planned(t)
	for name, o := range map[string]Options{
		"Validators": {Validators: map[string]Behaviour{"serach": {}}},
		"Pinned":     {Pinned: map[string]bool{"cdn": true}},
		"Erring":     {Erring: map[string]bool{"auth": true}},
		"Refresh":    {Refresh: map[string]time.Duration{"search": time.Minute}},
		"Down":       {Down: map[string]Span{"nobody": {}}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if said, _ := recover().(string); !strings.Contains(said, name) {
					t.Errorf("panic: got %q, want one that names %s", said, name)
				}
			}()
			New(p, o)
		})
	}
}
