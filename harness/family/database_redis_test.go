package family_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/server"
)

const redisPage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: orders-cache, family: database-password, purpose: logs orders in to its cache}
storage: {store: vault, publish: {path: secret/data/orders/cache}, distribution: poll}
consumers: [{name: orders, roles: [emit], refresh: 30s}]
format: {type: redis, identifier: tag, longest_life: 2m}
rollout: {lead: 1m, propagation: 30s, watch: 5m}
overlap: {window: 3m}
verification: {slo: {objective: 99.9%}, checks: [canary]}
rollback: {}
schedule: {}
`

const redisServices = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
speed: 10
services: {cache: {serve: redis}, orders: {serve: querier}}
load: [{client: shop, to: orders, rate: 5/s}]
`

// TestRedisSteps takes the steps of a rotation at a real server, which has two
// passwords for one user, or one where it holds no more.
func TestRedisSteps(t *testing.T) {
	program := server.Programs["redis"]
	if _, err := program.Find(); err != nil {
		if program.Required() {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	const taken, refused, outlives = "ok OK", "auth_failure WRONGPASS", "ok a session made before"
	type look struct{ k1, k2 string } // how each is answered
	for _, tt := range []struct {
		name, database                    string
		accepted, revoked, restored, gone look
	}{
		{"two passwords", "serve: redis",
			look{taken, taken}, look{refused, taken}, look{taken, taken}, look{taken, refused}},
		{"a revoke that leaves sessions alone", "serve: redis, keeps_sessions: true",
			look{taken, taken}, look{outlives, taken}, look{taken, taken}, look{taken, refused}},
		// The password is gone with the accept; the session that it made is not.
		{"one password", "serve: redis, holds: 1",
			look{outlives, taken}, look{refused, taken}, look{taken, refused}, look{taken, refused}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rehearse(t, redisPage, strings.Replace(redisServices, "serve: redis", tt.database, 1))
			wantLook := func(when string, want look) {
				t.Helper()
				got := look{}
				for name, to := range map[string]*string{"k1": &got.k1, "k2": &got.k2} {
					probe := r.present(t, "cache", name, history.OldAfter)
					*to = string(probe.Outcome) + " " + probe.Status
				}
				if got != want {
					t.Errorf("%s: got k1 %q and k2 %q, want %q and %q", when, got.k1, got.k2, want.k1, want.k2)
				}
			}
			if err := r.Hold(t.Context(), "k1", time.Minute); err != nil {
				t.Fatal(err)
			}
			r.make(t, "k2")
			for range 2 { // each step is safe to repeat
				r.do(t, keyring.Accept, "k2")
			}
			wantLook("accepted", tt.accepted)
			r.do(t, keyring.Emit, "k1") // the way back from here
			if probe := r.present(t, "cache", "k1", history.Restored); probe.Outcome != history.OK || probe.Session {
				t.Errorf("k1 when it is emitted again: got %+v, want it let in anew", probe)
			}
			r.do(t, keyring.Emit, "k2")
			for range 2 {
				r.do(t, keyring.Revoke, "k1")
			}
			wantLook("revoked", tt.revoked)
			r.do(t, keyring.Restore, "k1")
			wantLook("restored", tt.restored)
			r.do(t, keyring.Emit, "k1")
			r.do(t, keyring.Withdraw, "k2")
			wantLook("withdrawn", tt.gone)
			if differences, err := r.Compare(t.Context()); err != nil || len(differences) > 0 {
				t.Errorf("authority and store: got %q, %v, want that they agree", differences, err)
			}
		})
	}
}
