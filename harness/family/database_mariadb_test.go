package family_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/server"
)

const mariaDBPage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: orders-db, family: database-password, purpose: logs orders in to its database}
storage: {store: vault, publish: {path: secret/data/orders/db}, distribution: poll}
consumers: [{name: orders, roles: [emit], refresh: 30s}]
format: {type: mariadb, identifier: tag, longest_life: 2m}
rollout: {lead: 1m, propagation: 30s, watch: 5m}
overlap: {window: 3m}
verification: {slo: {objective: 99.9%}, checks: [canary]}
rollback: {}
schedule: {}
`

const mariaDBServices = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
speed: 10
services: {db: {serve: mariadb%s}, orders: {serve: querier}}
load: [{client: shop, to: orders, rate: 5/s}]
`

// TestMariaDBSteps takes the steps of a rotation at a real server: with two passwords
// of one user, with two users who take turns, and with one password.
func TestMariaDBSteps(t *testing.T) {
	program := server.Programs["mariadb"]
	if _, err := program.Find(); err != nil {
		if program.Required() {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	const taken, refused, locked, outlives = "ok OK", "auth_failure 1045", "auth_failure 4151", "ok a session made before"
	type look struct{ k1, k2 string } // how each is answered
	for _, tt := range []struct {
		name, database                    string
		accepted, revoked, restored, gone look
	}{
		{"two passwords", "",
			look{taken, taken}, look{refused, taken}, look{taken, taken}, look{taken, refused}},
		{"a revoke that leaves sessions alone", ", keeps_sessions: true",
			look{taken, taken}, look{outlives, taken}, look{taken, taken}, look{taken, refused}},
		{"two users", ", users: 2",
			look{taken, taken}, look{locked, taken}, look{taken, taken}, look{taken, locked}},
		// The password is gone with the accept; the session that it made is not.
		{"one password", ", holds: 1",
			look{outlives, taken}, look{refused, taken}, look{taken, refused}, look{taken, refused}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // each logs in some thirty times, and waits to be spoken to
			r := rehearse(t, mariaDBPage, fmt.Sprintf(mariaDBServices, tt.database))
			wantLook := func(when string, want look) {
				t.Helper()
				got := look{}
				for name, to := range map[string]*string{"k1": &got.k1, "k2": &got.k2} {
					probe := r.present(t, "db", name, history.OldAfter)
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
			if probe := r.present(t, "db", "k1", history.Restored); probe.Outcome != history.OK || probe.Session {
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
