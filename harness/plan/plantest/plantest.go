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

// Plan plans a scenario, which calls its page page.yaml.
func Plan(t testing.TB, page, text string) *plan.Plan {
	t.Helper()
	fsys := fstest.MapFS{"page.yaml": {Data: []byte(page)}, "scenario.yaml": {Data: []byte(text)}}
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
