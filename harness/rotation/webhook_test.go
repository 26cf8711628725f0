package rotation_test

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// A sender that signs once and keeps the signature of what it tries again.
const hookPage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: payments-hook, family: webhook-secret}
storage: {store: vault, publish: {path: secret/data/payments/hook}, distribution: poll}
consumers:
  - {name: payments, roles: [emit], refresh: 30s}
  - {name: orders, roles: [validate], refresh: 2m}
  - {name: ledger, roles: [validate], refresh: 1m}
format: {type: github, longest_life: 5m}
rollout: {lead: 4m, propagation: 30s, watch: 8m}
overlap: {window: 8m}
verification: {slo: {objective: 99.9%}, checks: [canary]}
rollback: {when: {auth_failures_over: 1%, for: 10s}}
schedule: {}
`

const hookBase = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
speed: 60
baseline: 3m
services:
  payments: {serve: sender}
  orders: {serve: receiver, fails: 20%}
  ledger: {serve: receiver}
load:
  - {client: sales, to: payments, endpoint: orders, rate: 30/s}
  - {client: payouts, to: payments, endpoint: ledger, rate: 20/s}
`

// TestRollbackWithAQueue goes back at many moments: validators that read the
// store themselves must have the old secret again before it is emitted, and
// what the new one signed is tried again for minutes in which nothing of it is seen.
func TestRollbackWithAQueue(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		phase history.Phase
		after []time.Duration // wall time
		steps string
	}{
		{history.Overlap, []time.Duration{0, 3 * time.Second, 7 * time.Second}, backEmit},
		{history.Watch, []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond, 6 * time.Second}, backRevoke},
	} {
		for _, after := range tt.after {
			t.Run(string(tt.phase)+" after "+after.String(), func(t *testing.T) {
				t.Parallel()
				for seed := range int64(5) {
					r := rehearse(t, plannedOf(t, hookPage, hookBase, ""), simulated.Options{
						Seed: seed + 1, Commands: []simulated.Command{{At: simulated.Moment{Phase: tt.phase, After: after}, Command: world.RollBack}},
					})
					r.wantNoError(t)
					r.wantEnd(t, history.EndedRolledBack, tt.steps)
					if tt.phase == history.Overlap { // after a revoke what is queued of the old one was refused before
						r.wantFailures(t)
					}
					emitted, withdrawn := r.view.Steps["emit"]["k1"], r.view.Steps["withdraw"]["k2"]
					if waited := (withdrawn - emitted).Duration(); waited < r.limits.Wall(r.limits.LongestLife) {
						t.Errorf("seed %d: k2 was withdrawn %s after k1 was emitted again, want not before what it signed is given up", seed+1, waited)
					}
				}
			})
		}
	}
}
