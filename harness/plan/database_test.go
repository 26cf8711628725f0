package plan

import (
	"reflect"
	"testing"
	"time"
)

const databasePage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: orders-db, family: database-password, purpose: logs orders in}
storage: {store: vault, publish: {path: secret/data/orders/db}, distribution: poll}
consumers: [{name: orders, roles: [emit], refresh: 30s}]
format: {type: postgresql, identifier: tag, longest_life: 2m}
rollout: {lead: 1m, propagation: 30s, watch: 5m}
overlap: {window: 3m}
verification: {slo: {objective: 99.9%}, checks: [canary]}
rollback: {}
schedule: {}
`

const databaseScenario = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
services: {db: {serve: postgres}, orders: {serve: querier}}
load: [{client: shop, to: orders, rate: 5/s}]
`

// TestDatabaseLimits: what a database has room for and what pools need are
// figures that a history is held against.
func TestDatabaseLimits(t *testing.T) {
	p := built(t, loaded(t, databasePage, databaseScenario), Options{})
	wantLimits(t, p, Validator{Name: "db", OnPage: true, Authority: true},
		Emitter{Name: "orders", OnPage: true, Refresh: 30 * time.Second, Pool: DefaultPool, Life: 2 * time.Minute})
	p = built(t, loaded(t, databasePage, databaseScenario, "serve: postgres", "serve: postgres, connections: 14",
		"serve: querier", "serve: querier, pool: 12, swaps_pool: true"), Options{})
	wantLimits(t, p, Validator{Name: "db", OnPage: true, Authority: true, Connections: 14},
		Emitter{Name: "orders", OnPage: true, Refresh: 30 * time.Second, Pool: 12, SwapsPool: true, Life: 2 * time.Minute})
}

func wantLimits(t *testing.T, p *Plan, v Validator, e Emitter) {
	t.Helper()
	if want := []Validator{v}; !reflect.DeepEqual(p.Limits.Validators, want) {
		t.Errorf("validators: got %+v, want %+v", p.Limits.Validators, want)
	}
	if want := []Emitter{e}; !reflect.DeepEqual(p.Limits.Emitters, want) {
		t.Errorf("emitters: got %+v, want %+v", p.Limits.Emitters, want)
	}
}
