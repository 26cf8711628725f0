package family

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
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
speed: 10
services: {db: {serve: postgres}, orders: {serve: querier}}
load: [{client: shop, to: orders, rate: 5/s}]
`

// TestConfigureDatabase: what a scenario says of pools and of the room for them
// is what the stand-ins are told; what it leaves out is left to them.
func TestConfigureDatabase(t *testing.T) {
	set := strings.NewReplacer("serve: postgres", "serve: postgres, connections: 14", "serve: querier", "serve: querier, pool: 12, swaps_pool: true")
	for _, tt := range []struct{ name, scenario, db, orders string }{
		{"as it is", databaseScenario, "0", "10 false 12s"},
		{"set", set.Replace(databaseScenario), "14", "12 true 12s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, s := range planOf(t, databasePage, tt.scenario).Services {
				got, want := "", tt.db
				switch config := s.Config.(type) {
				case *contract.Database:
					got = fmt.Sprint(config.Connections)
				case *contract.Querier:
					got, want = fmt.Sprint(config.Pool, config.SwapsPool, time.Duration(config.Life)), tt.orders
				}
				if got != want {
					t.Errorf("%s: got %s, want %s", s.Name, got, want)
				}
			}
		})
	}
}
