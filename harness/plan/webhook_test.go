package plan

import (
	"reflect"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

const hookPage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: payments-hook, family: webhook-secret}
storage: {store: vault, publish: {path: secret/data/payments/hook}, distribution: poll}
consumers:
  - {name: payments, roles: [emit], refresh: 30s}
  - {name: orders, roles: [validate], refresh: 1m}
  - {name: ledger, roles: [validate], refresh: 1m, learns_within: 10m}
format: {type: stripe, longest_life: 5m}
rollout: {lead: 3m, propagation: 30s, watch: 4m}
overlap: {window: 6m}
verification: {slo: {objective: 99%}}
rollback: {when: {auth_failures_over: 1%, for: 10s}}
schedule: {}
`

const hookScenario = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
services:
  payments: {serve: sender}
  orders: {serve: receiver, refresh: 2m}
  ledger: {serve: receiver}
  audit: {serve: receiver, pinned: true}
load: [{client: sales, to: payments, endpoint: orders, rate: 5/s}]
`

// Receivers read the secret themselves: nothing that the sender does delays
// what they learn.
func TestBuildWebhookSecret(t *testing.T) {
	p := built(t, loaded(t, hookPage, hookScenario), Options{})
	const m = time.Minute
	if want := []Validator{
		{Name: "audit", Learns: runbook.Forever, Forgets: runbook.Forever, Reads: true},
		{Name: "ledger", OnPage: true, Learns: 10 * m, Forgets: m, Reads: true},
		{Name: "orders", OnPage: true, Learns: m, Forgets: m, Reads: true, Rereads: 2 * m, Keeps: 2 * m}, // by its service
	}; !reflect.DeepEqual(p.Limits.Validators, want) {
		t.Errorf("validators: got %+v\nwant %+v", p.Limits.Validators, want)
	}
	if timed := p.Limits.Timed(); len(timed) != 2 || timed[0].Name != "ledger" || timed[0].Refills() != 10*m {
		t.Errorf("the slowest: got %+v, want ledger, by its page, after 10m", timed)
	}
	if want := []Emitter{{Name: "payments", OnPage: true, Refresh: 30 * time.Second, Several: true}}; !reflect.DeepEqual(p.Limits.Emitters, want) {
		t.Errorf("emitters: got %+v, want %+v", p.Limits.Emitters, want)
	}
	if got := p.Limits.Clients[0]; got.To != "payments" || got.Endpoint != "orders" || p.Limits.JudgedAt != history.FromAuthority {
		t.Errorf("got %+v judged at %s, want a client of payments about orders, judged where that checks", got, p.Limits.JudgedAt)
	}
	if got := p.Rehearsal.Load[0].Request; got.Method != "POST" || got.Path != "/events/orders" {
		t.Errorf("request: got %+v, want the event of orders", got)
	}
	orders, _ := p.Limits.Validator("orders")
	if g1, g3 := p.Limits.G1(orders), p.Limits.G3(orders); g1 != 90*time.Second || g3 != 90*time.Second {
		t.Errorf("G1 %v and G3 %v of orders, want its refresh and the propagation", g1, g3)
	}
	needs := map[string][]string{}
	for _, s := range p.Services {
		needs[s.Name] = s.Needs
		if !s.Reads || s.Of != "" {
			t.Errorf("%s: reads %t, of %q; want that it reads the secret and takes no answers of another", s.Name, s.Reads, s.Of)
		}
	}
	if want := map[string][]string{"payments": {"audit", "ledger", "orders"}, "audit": {}, "ledger": {}, "orders": {}}; !reflect.DeepEqual(needs, want) {
		t.Errorf("needs: got %v, want the receivers before their sender: %v", needs, want)
	}
}

// Only two of the schemes carry both secrets.
func TestSeveral(t *testing.T) {
	for scheme, want := range map[string]bool{"stripe": true, "standard-webhooks": true, "github": false, "shopify": false, "slack": false} {
		p := built(t, loaded(t, hookPage, hookScenario, "type: stripe", "type: "+scheme), Options{})
		if got := p.Limits.Emitters[0].Several; got != want {
			t.Errorf("%s: got several %t, want %t", scheme, got, want)
		}
	}
}

// What the scenario makes of a receiver bounds the speed too.
func TestReceiversLimitTheSpeed(t *testing.T) {
	p := built(t, loaded(t, hookPage, hookScenario, "refresh: 2m", "refresh: 10s"), Options{})
	if want := "the refresh of orders, 10s, must stay at least 500ms, 5 times what it is kept to"; p.MaxSpeed != 20 || p.MaxSpeedBecause != want {
		t.Errorf("got %v because %s, want 20 because %s", p.MaxSpeed, p.MaxSpeedBecause, want)
	}
}

// The worst moment to accept is that of the cache that is slowest in fact: a
// service that reads less often than its page says must not pass by luck.
func TestSlowestIsSlowestInFact(t *testing.T) {
	l := Limits{Speed: 1, Validators: []Validator{
		{Name: "orders", Learns: time.Minute, Rereads: 9 * time.Minute},
		{Name: "ledger", Learns: 2 * time.Minute},
		{Name: "audit", Learns: runbook.Forever},
	}}
	if timed := l.Timed(); len(timed) != 2 || timed[0].Name != "orders" || timed[0].Refills() != 9*time.Minute {
		t.Errorf("got %+v, want orders, after 9m", timed)
	}
}

// TestAReceiverOfATeamsOwnIsNotWaitedFor sees no moment at which it reads its file: for
// one whose fetches nobody tells, none is worse than another.
func TestAReceiverOfATeamsOwnIsNotWaitedFor(t *testing.T) {
	own := "ledger: {command: [receiver], files: {/secret: \"{{ .secret.value }}\"}, healthcheck: /livez, ports: [8080], refusal: {statuses: [400]}, scale: full}"
	l := built(t, loaded(t, hookPage, hookScenario, "ledger: {serve: receiver}", own), Options{}).Limits
	if v, _ := l.Validator("ledger"); !v.Blind {
		t.Errorf("ledger: got %+v, want that nobody tells of its fetches", v)
	}
	if timed := l.Timed(); len(timed) != 1 || timed[0].Name != "orders" {
		t.Errorf("got %+v, want orders alone", timed)
	}
}
