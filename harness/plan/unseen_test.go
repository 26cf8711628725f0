package plan_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
)

// TestUnseen: a receiver is called where a client calls a sender of a team's own that
// delivers there by its settings, and not where that delivers elsewhere.
func TestUnseen(t *testing.T) {
	services := func(url string) string {
		return `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
services:
  payments: {command: [own], agent: payments, scale: full, environment: {TO: "{{ .` + url + `.url }}", TOKEN: "{{ .store.token }}"}}
  orders:   {serve: receiver}
  ledger:   {serve: receiver}
load: [{client: sales, to: payments, rate: 5/s}]
`
	}
	for url, want := range map[string]string{"orders": "ledger", "ledger": "orders"} {
		var unseen []string
		for _, u := range plantest.Plan(t, plantest.WebhookPage, services(url)).Unseen {
			unseen = append(unseen, u.Party)
		}
		if got := strings.Join(unseen, " "); got != want {
			t.Errorf("a sender to %s: got %q unseen, want %q", url, got, want)
		}
	}
}

// TestUnseenOfTokens: a verifier and an issuer of a team's own that share a secret keep no
// record that is read, and the load has what it was answered.
func TestUnseenOfTokens(t *testing.T) {
	const page = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: session-secret, family: jwt-shared-secret}
storage: {store: vault, publish: {path: secret/data/auth/secret}, distribution: poll}
consumers:
  - {name: auth,     roles: [emit],     refresh: 30s}
  - {name: sessions, roles: [validate], refresh: 1m}
format: {type: HS256, identifier: kid, longest_life: 3m}
rollout: {lead: 3m, propagation: 30s, watch: 4m}
overlap: {window: 5m}
verification: {slo: {objective: 99.9%}, checks: [auth-failures, canary]}
rollback: {when: {auth_failures_over: 1%, for: 10s}}
schedule: {}
`
	const services = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
services:
  auth:     {command: [own], agent: auth, scale: full, environment: {TOKEN: "{{ .store.token }}"}}
  sessions: {command: [own], agent: sessions, scale: full, environment: {TOKEN: "{{ .store.token }}"}}
load: [{client: web, to: %s, rate: 5/s, token: {life: 3m}}]
`
	for to, want := range map[string]int{"sessions": 0, "auth": 1} {
		if got := plantest.Plan(t, page, fmt.Sprintf(services, to)).Unseen; len(got) != want {
			t.Errorf("a client of %s: got %v unseen, want %d", to, got, want)
		}
	}
}

// TestFronts: a validator that no client calls is reached by a service that clients call and
// that has its address, or that of one that has; by no other is it.
func TestFronts(t *testing.T) {
	const services = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
services:
  auth:     {serve: issuer}
  gate:     {command: [own], agent: gate/, scale: full, environment: {NEXT: "{{ .%s.url }}"}}
  blue:     {command: [own], agent: blue/, scale: full, environment: {BACK: "{{ .checkout.url }}"}}
  other:    {command: [own], agent: other/, scale: full, environment: {PORT: "{{ .other.port }}"}}
  checkout: {command: [own], agent: checkout/, scale: full, environment: {JWKS: "{{ .auth.url }}"}}
load: [{client: web, to: gate, rate: 5/s, token: {life: 3m}}]
`
	for next, want := range map[string]string{"checkout": "gate", "blue": "gate", "other": ""} {
		p := plantest.Plan(t, plantest.JWTPage, fmt.Sprintf(services, next))
		v, _ := p.Limits.Validator("checkout")
		if got := strings.Join(v.Fronts, " "); got != want || (len(p.Unseen) == 0) != (want != "") {
			t.Errorf("a gate before %s: got %q before checkout and %v unseen, want %q", next, got, p.Unseen, want)
		}
	}
}

// TestUnseenProcesses: pools of a team's own without names are told apart by their processes, where
// the system tells those.
func TestUnseenProcesses(t *testing.T) {
	const page = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: db, family: database-password}
storage: {store: vault, publish: {path: secret/data/db}, distribution: poll}
consumers:
  - {name: orders,  roles: [emit], refresh: 30s}
  - {name: reports, roles: [emit], refresh: 30s}
format: {type: %s, identifier: tag, longest_life: 2m}
rollout: {lead: 1m, propagation: 30s, watch: 4m}
overlap: {window: 5m}
verification: {slo: {objective: 99.9%%}, checks: [auth-failures, canary]}
rollback: {when: {auth_failures_over: 1%%, for: 10s}}
schedule: {}
`
	const services = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
services:
  db:      {serve: %s}
  orders:  {command: [own], %s scale: full, environment: {DB: "{{ .db.host }}", TOKEN: "{{ .store.token }}"}}
  reports: {command: [own], scale: full, environment: {DB: "{{ .db.host }}", TOKEN: "{{ .store.token }}"}}
load:
  - {client: web, to: orders,  rate: 5/s}
  - {client: app, to: reports, rate: 5/s}
`
	for _, tt := range []struct {
		format, serve, agent string
	}{{"redis", "redis", ""}, {"redis", "redis", "agent: orders,"}, {"postgresql", "postgres", ""}, {"mariadb", "mariadb", ""}} {
		want := 0
		if runtime.GOOS != "linux" && tt.agent == "" {
			want = 2
		}
		if got := plantest.Plan(t, fmt.Sprintf(page, tt.format), fmt.Sprintf(services, tt.serve, tt.agent)).Unseen; len(got) != want {
			t.Errorf("%s %s: got %v unseen, want %d", tt.serve, tt.agent, got, want)
		}
	}
}
