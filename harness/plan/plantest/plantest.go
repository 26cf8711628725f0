// Package plantest has pages and scenarios that several rooms test themselves with.
package plantest

import (
	"testing"
	"testing/fstest"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// JWTPage is rotated in some three seconds at speed 100. Its window is too short
// for the tokens of the old key.
const JWTPage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: session-key, family: jwt-signing-key}
storage: {store: vault, publish: {path: secret/data/auth/key}, distribution: jwks, jwks: /.well-known/jwks.json}
consumers:
  - {name: auth, roles: [emit], refresh: 50s}
  - {name: checkout, roles: [validate], library: go-oidc}
format: {type: ES256, identifier: kid, longest_life: 10m}
rollout: {lead: 1m20s, propagation: 10s, watch: 1m40s}
overlap: {window: 1m}
verification: {slo: {objective: 99.9%}, checks: [auth-failures, canary]}
rollback: {when: {auth_failures_over: 1%, for: 10s}}
schedule: {}
`

// JWTScenario is of JWTPage: an issuer, a cache and a verifier, and gates that are off.
const JWTScenario = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
gates: off
speed: 100
baseline: 1m
services:
  auth: {serve: issuer}
  edge: {serve: cache, of: auth, ttl: 10m}
  checkout: {serve: verifier, of: edge}
load:
  - {client: web, to: checkout, rate: 100/s, sessions: 5, token: {life: 10m}}
`

// APIKeyPage is one of a key that a provider checks, whose log tells what it decided.
const APIKeyPage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: payment-key, family: api-key}
storage: {store: vault, publish: {path: secret/data/billing/key}, distribution: poll}
consumers:
  - {name: billing, roles: [emit], refresh: 50s}
format: {type: opaque, identifier: tag}
rollout: {lead: 1m, propagation: 10s, watch: 1m}
overlap: {window: 1m}
verification: {slo: {objective: 99.9%}, checks: [auth-failures]}
rollback: {when: {auth_failures_over: 1%, for: 10s}}
schedule: {}
`

// APIKeyScenario is of APIKeyPage: a consumer, a provider, and gates that observe.
const APIKeyScenario = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
gates: observe
speed: 100
baseline: 1m
services:
  billing: {serve: charger}
  payments: {serve: provider}
load:
  - {client: shop, to: billing, rate: 100/s}
`

// WebhookPage is one of a secret that a sender signs with, and two receivers check.
const WebhookPage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: payments-webhook, family: webhook-secret}
storage: {store: vault, publish: {path: secret/data/payments/webhook}, distribution: poll}
consumers:
  - {name: payments, roles: [emit],     refresh: 30s}
  - {name: orders,   roles: [validate], refresh: 1m}
  - {name: ledger,   roles: [validate], refresh: 1m}
format: {type: stripe, identifier: tag, longest_life: 5m}
rollout: {lead: 3m, propagation: 30s, watch: 4m}
overlap: {window: 8m}
verification: {slo: {objective: 99.9%}, checks: [auth-failures, canary]}
rollback: {when: {auth_failures_over: 1%, for: 10s}}
schedule: {}
`

// WebhookScenario is of WebhookPage: orders is a team's own, which refuses with 400.
const WebhookScenario = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
gates: observe
speed: 60
baseline: 3m
services:
  payments: {serve: sender}
  orders:   {command: [receiver], environment: {VAULT_TOKEN: "{{ .store.token }}"}, refusal: {statuses: [400]}, agent: orders, scale: full}
  ledger:   {serve: receiver}
load:
  - {client: sales,   to: payments, endpoint: orders, rate: 30/s}
  - {client: payouts, to: payments, endpoint: ledger, rate: 20/s}
`

// DatabasePage is one of a login that one pool uses.
const DatabasePage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: orders-db, family: database-password}
storage: {store: vault, publish: {path: secret/data/orders/db}, distribution: poll}
consumers:
  - {name: orders, roles: [emit], refresh: 30s}
format: {type: postgresql, identifier: tag, longest_life: 2m}
rollout: {lead: 1m, propagation: 30s, watch: 5m}
overlap: {window: 3m}
verification: {slo: {objective: 99.9%}, checks: [auth-failures, availability]}
rollback: {when: {auth_failures_over: 1%, for: 10s}}
schedule: {}
`

// DatabaseScenario is of DatabasePage: orders is a team's own.
const DatabaseScenario = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
gates: observe
speed: 30
baseline: 3m
services:
  db:     {serve: postgres}
  orders: {command: [app], environment: {DB_HOST: "{{ .db.host }}", VAULT_TOKEN: "{{ .store.token }}"}, agent: orders, scale: full}
load:
  - {client: shop, to: orders, rate: 10/s, sessions: 5}
`

// Plan plans a scenario, which calls its page page.yaml; what it builds is beside it.
func Plan(t testing.TB, page, text string) *plan.Plan {
	t.Helper()
	fsys := fstest.MapFS{"page.yaml": {Data: []byte(page)}, "scenario.yaml": {Data: []byte(text)}, "Dockerfile": {Data: []byte("FROM scratch\n")}}
	loaded, err := scenario.Load(fsys, "scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(loaded, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
