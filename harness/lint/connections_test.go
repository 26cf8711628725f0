package lint_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rehearse-dev/rehearse/harness/lint"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

const databasePage = `apiVersion: rehearse/v1
kind: Runbook
scope:        {name: orders-db, family: database-password, purpose: logs orders in}
storage:      {store: vault, publish: {path: secret/data/orders/db}, distribution: poll}
consumers:    [{name: orders, roles: [emit], refresh: 30s}, {name: billing, roles: [emit], refresh: 30s}]
format:       {type: postgresql, identifier: tag, longest_life: 2m}
rollout:      {lead: 1m, propagation: 30s, watch: 5m}
overlap:      {window: 3m}
verification: {slo: {objective: 99.9%}}
rollback:     {when: {auth_failures_over: 1%, for: 10s}, decides: identity on-call}
schedule:     {owner: orders-team, next_review: 2027-02-01, cadence: 90d}
`

const databaseServices = `apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
services:
  db:      {serve: postgres, connections: ROOM}
  orders:  {serve: querier, pool: 20, swaps_pool: SWAPS}
  billing: {serve: querier, pool: 5}
load: [{client: shop, to: orders, rate: 5/s}, {client: bills, to: billing, rate: 5/s}]
`

// TestDatabasesWithoutRoom: a new pool beside the old one counts twice, one whose
// connections are made anew one by one once.
func TestDatabasesWithoutRoom(t *testing.T) {
	for _, tt := range []struct{ name, room, swaps, needed, says string }{
		{"room for both", "45", "true", "", ""},
		{"room for one", "44", "true", "45", "db has room for 44 connections, and the switch needs 5 for the pool of billing and 40 for the new pool of orders beside its old one"},
		{"one by one", "25", "false", "", ""},
		{"room for none", "24", "false", "25", "5 for the pool of billing and 20 for the pool of orders"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.NewReplacer("ROOM", tt.room, "SWAPS", tt.swaps).Replace(databaseServices)
			loaded, err := scenario.Load(fstest.MapFS{"page.yaml": {Data: []byte(databasePage)}, "s.yaml": {Data: []byte(text)}}, "s.yaml")
			if err != nil {
				t.Fatal(err)
			}
			found, err := lint.Scenario(loaded, today)
			if err != nil {
				t.Fatal(err)
			}
			if tt.needed == "" {
				if len(found) > 0 {
					t.Errorf("found %v, want nothing", found)
				}
				return
			}
			if len(found) != 1 || found[0].RuleID != "no-room-for-pools" || found[0].Needed != tt.needed || !strings.Contains(found[0].Message, tt.says) ||
				found[0].Position.String() != "s.yaml:5:43" {
				t.Errorf("found %+v, want one at s.yaml:5:43 that needs %s and says %q", found, tt.needed, tt.says)
			}
		})
	}
}
