package rotation_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
	"github.com/rehearse-dev/rehearse/harness/world/simulated/simulatedtest"
)

// page holds all bounds for what the base scenario sets up: lead ≥ 15m + 1m +
// 30s, window ≥ 10m + 30s, watch ≥ 60m + 1m + 30s.
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
verification: {slo: {objective: 99.9%}, checks: [canary]}
rollback: {when: {auth_failures_over: 1%, for: 10s}}
schedule: {}
`

const base = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
speed: 90
services:
  auth: {serve: issuer}
  checkout: {serve: verifier}
  search: {serve: verifier}
load:
  - {client: web, to: checkout, rate: 40/s, sessions: 20, token: {from: auth, life: 10m}}
  - {client: app, to: search, rate: 100/s, sessions: 25, token: {from: auth, life: 10m}}
`

const keyPage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: payments-key, family: api-key}
storage: {store: vault, publish: {path: secret/data/billing/key}, distribution: poll}
consumers: [{name: billing, roles: [emit], refresh: 30s}]
format: {type: bearer}
rollout: {lead: 1m, propagation: 30s, watch: 5m}
overlap: {window: 2m}
verification: {slo: {objective: 99%}}
rollback: {when: {auth_failures_over: 1%, for: 10s}}
schedule: {}
`

const keyBase = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
speed: 10
services: {billing: {serve: charger}, payments: {serve: provider}}
load: [{client: web, to: billing, rate: 20/s}]
`

// planned is the plan of the base scenario with a merge patch in YAML on it.
func planned(t *testing.T, patch string) *plan.Plan {
	t.Helper()
	return plannedOf(t, page, base, patch)
}

func plannedOf(t *testing.T, page, base, patch string) *plan.Plan {
	t.Helper()
	files := fstest.MapFS{
		"page.yaml": {Data: []byte(page)}, "base.yaml": {Data: []byte(base)},
		"scenario.yaml": {Data: []byte("apiVersion: rehearse/v1\nkind: Scenario\nextends: base.yaml\n" + patch)},
	}
	loaded, err := scenario.Load(files, "scenario.yaml")
	if err != nil {
		t.Fatalf("load scenario: %v", err)
	}
	p, err := plan.Build(loaded, plan.Options{})
	if err != nil {
		t.Fatalf("build plan: %v", err)
	}
	return p
}

// rehearsal is a rotation that ended in a simulated world.
type rehearsal struct {
	how     string
	err     error
	limits  plan.Limits
	history *history.History
	view    *history.View
}

// rehearse runs a plan to its end.
func rehearse(t *testing.T, p *plan.Plan, o simulated.Options) *rehearsal {
	t.Helper()
	return rehearseUntil(t, p, o, simulated.Moment{})
}

// rehearseUntil is rehearse with a context that is cancelled at a distance from
// the beginning of a phase; without a phase: never.
func rehearseUntil(t *testing.T, p *plan.Plan, o simulated.Options, end simulated.Moment) *rehearsal {
	t.Helper()
	return rehearseIn(t, p, o, func(w *world.World, cancel context.CancelFunc) {
		w.Faults = cancelling{w.Faults, w.Clock, end, cancel}
	})
}

// rehearseIn is rehearse in a world that is changed before anything begins.
func rehearseIn(t *testing.T, p *plan.Plan, o simulated.Options, change func(*world.World, context.CancelFunc)) *rehearsal {
	t.Helper()
	ended := simulatedtest.RehearseIn(t, p, o, change)
	return &rehearsal{how: ended.How, err: ended.Err, limits: p.Limits, history: ended.History, view: history.ViewOf(ended.History)}
}

// cancelling ends a context some time after a phase began.
type cancelling struct {
	world.Faults
	clock  world.Clock
	end    simulated.Moment
	cancel context.CancelFunc
}

func (c cancelling) Begin(ctx context.Context, phase history.Phase) {
	c.Faults.Begin(ctx, phase)
	if phase == c.end.Phase {
		c.clock.Go(func() {
			if c.clock.Sleep(ctx, c.end.After) == nil {
				c.cancel()
			}
		})
	}
}

// events are those of a kind, in order.
func (r *rehearsal) events(kind history.Kind) []history.Event {
	var found []history.Event
	for _, e := range r.history.Events {
		if e.Kind == kind {
			found = append(found, e)
		}
	}
	return found
}

// phases are the phases that ran, in order.
func (r *rehearsal) phases() []history.Phase {
	var phases []history.Phase
	for _, e := range r.events(history.KindPhase) {
		phases = append(phases, e.Phase)
	}
	return phases
}

// steps are the steps that were taken after the secret was provisioned, as
// "accept k2"; one that failed has an exclamation mark.
func (r *rehearsal) steps() string {
	var steps []string
	for _, e := range r.events(history.KindStep) {
		if e.Phase == "" {
			continue
		}
		step := e.Step + " " + e.Credential
		if e.Detail != "" {
			step += "!"
		}
		steps = append(steps, step)
	}
	return strings.Join(steps, ", ")
}

// refused are the gates that did not hold, as "verify search".
func (r *rehearsal) refused() []string {
	var refused []string
	for _, e := range r.events(history.KindGate) {
		if !e.Gate.Held {
			refused = append(refused, strings.TrimSpace(string(e.Gate.Phase)+" "+e.Gate.Consumer))
		}
	}
	return refused
}

// decisions are what the run chose to do, as "rollback: gate".
func (r *rehearsal) decisions() []string {
	var decisions []string
	for _, e := range r.events(history.KindDecision) {
		decisions = append(decisions, fmt.Sprintf("%s: %s", e.Decision.Action, e.Decision.Trigger))
	}
	return decisions
}

// failures are the judged auth failures by validator and credential,
// as "search k2".
func (r *rehearsal) failures() map[string]history.Counts {
	failures := map[string]history.Counts{}
	for _, key := range r.view.Keys() {
		if key.Source != r.limits.JudgedAt {
			continue
		}
		if c := r.view.Sum(key, 0, r.view.Now+1); c.AuthFailures > 0 {
			name := key.Validator + " " + key.Credential
			sum := failures[name]
			sum.Add(&c)
			failures[name] = sum
		}
	}
	return failures
}

// wantFailures checks where auth failures were counted: at exactly these
// validators with these credentials, as "search k2".
func (r *rehearsal) wantFailures(t *testing.T, want ...string) {
	t.Helper()
	failures := r.failures()
	for name, c := range failures {
		if !slices.Contains(want, name) {
			t.Errorf("auth failures at %s: got %d from %s to %s, want none", name, c.AuthFailures, c.FirstFailure.Wall(), c.LastFailure.Wall())
		}
	}
	for _, name := range want {
		if failures[name].AuthFailures == 0 {
			t.Errorf("auth failures at %s: got none, want some", name)
		}
	}
}

// wantEnd checks how a rotation ended, that the history says so too, and the
// steps that were taken.
func (r *rehearsal) wantEnd(t *testing.T, how, steps string) {
	t.Helper()
	if r.how != how {
		t.Errorf("ended: got %q, want %q", r.how, how)
	}
	if ends := r.events(history.KindEnd); len(ends) != 1 || ends[0].Detail != how {
		t.Errorf("end events: got %+v, want one that says %q", ends, how)
	}
	if got := r.steps(); got != steps {
		t.Errorf("steps: got  %s\nwant %s", got, steps)
	}
}

func (r *rehearsal) wantNoError(t *testing.T) {
	t.Helper()
	if r.err != nil {
		t.Errorf("error: got %v, want none", r.err)
	}
}

func (r *rehearsal) wantError(t *testing.T, want error) {
	t.Helper()
	if !errors.Is(r.err, want) {
		t.Errorf("error: got %v, want one that is %v", r.err, want)
	}
}

func wantEqual[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// Steps that rotations have in common.
const (
	forth      = "accept k2, emit k2, revoke k1, destroy k1"
	backAccept = "accept k2, withdraw k2"
	backEmit   = "accept k2, emit k2, emit k1, withdraw k2"
	backRevoke = "accept k2, emit k2, revoke k1, restore k1, emit k1, withdraw k2"
)

// until are the phases up to one, and the rollback after it.
func until(last history.Phase) []history.Phase {
	phases := history.Phases()
	return append(phases[:slices.Index(phases, last)+1], history.Rollback)
}
