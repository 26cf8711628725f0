package rotation_test

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// Known-bad twins of the base scenario, as patches without their gates.
const (
	staleCache   = "override: {rollout: {lead: 5m}}\n"
	shortOverlap = "override: {overlap: {window: 1m}}\n"
	flagDay      = "override: {rollout: {lead: 0s}, overlap: {window: 0s}}\n"
	offPage      = `
services: {legacy: {serve: verifier, library: static}}
load:
  - {client: web, to: checkout, rate: 40/s, sessions: 20, token: {from: auth, life: 10m}}
  - {client: batch, to: legacy, rate: 40/s, sessions: 10, token: {from: auth, life: 10m}}
`
	secondSigner = `
services: {twin: {serve: issuer, pinned: true}}
load:
  - {client: web, to: checkout, rate: 40/s, sessions: 20, token: {from: auth, life: 10m}}
  - {client: batch, to: search, rate: 40/s, sessions: 10, token: {from: twin, life: 10m}}
`
	singleKey = `
override:
  consumers:
    - {name: auth, roles: [emit], refresh: 1m}
    - {name: checkout, roles: [validate], library: keyfunc}
    - {name: search, roles: [validate], library: single-key}
`
)

// TestKnownBad runs each known-bad plan with its gates enforced, where it must
// be stopped and nobody hurt, and observed, where it must hurt as it says.
func TestKnownBad(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		patch    string
		stopped  history.Phase // by whose gate
		steps    string        // of the enforced run
		refused  []string      // gates of the enforced run
		failures []string      // of the observed run
		since    history.Phase // the first failure is not before it
		also     []string      // gates that the observed run finds not to hold besides
	}{
		{
			name: "stale cache", patch: staleCache, stopped: history.Verify, steps: backAccept,
			refused: []string{"verify search"}, failures: []string{"search k2"}, since: history.Emit,
		},
		{
			name: "short overlap", patch: shortOverlap, stopped: history.Overlap, steps: backEmit,
			refused: []string{"overlap app", "overlap web"}, failures: []string{"search k1"}, since: history.Revoke,
		},
		{
			name: "flag day", patch: flagDay, stopped: history.Verify, steps: backAccept,
			refused:  []string{"verify checkout", "verify search"},
			failures: []string{"checkout k1", "checkout k2", "search k2"}, since: history.Emit,
			also: []string{"overlap app", "overlap web"},
		},
		{
			name: "validator off the page", patch: offPage, stopped: history.Verify, steps: backAccept,
			refused: []string{"verify legacy"}, failures: []string{"legacy k2"}, since: history.Emit,
			also: []string{"overlap legacy", "watch legacy", "watch legacy"},
		},
		{
			name: "second signer", patch: secondSigner, stopped: history.Verify, steps: backAccept,
			refused: []string{"verify twin"}, failures: []string{"search k1"}, since: history.Revoke,
			also: []string{"overlap batch", "overlap twin", "overlap twin"},
		},
		{
			name: "single key", patch: singleKey, stopped: history.Verify, steps: backAccept,
			refused: []string{"verify search"}, failures: []string{"search k1", "search k2"}, since: history.Emit,
		},
	} {
		// What a validator does when the old key goes is a matter of when it
		// fetches; here search does so often enough to meet the revoke.
		options := simulated.Options{}
		if tt.since == history.Revoke {
			options.Validators = map[string]simulated.Behaviour{"search": {Refresh: 2 * time.Minute}}
		}
		t.Run(tt.name+" enforced", func(t *testing.T) {
			t.Parallel()
			r := rehearse(t, planned(t, tt.patch+"gates: enforce\n"), options)
			r.wantNoError(t)
			r.wantEnd(t, history.EndedRolledBack, tt.steps)
			r.wantFailures(t)
			wantEqual(t, "phases", r.phases(), until(tt.stopped))
			wantEqual(t, "gates that did not hold", r.refused(), tt.refused)
			wantEqual(t, "decisions", r.decisions(), []string{"rollback: gate"})
			if got := r.view.Emitting["auth"]; got != "k1" {
				t.Errorf("auth emits %s at the end, want k1", got)
			}
		})
		t.Run(tt.name+" observed", func(t *testing.T) {
			t.Parallel()
			r := rehearse(t, planned(t, tt.patch+"gates: observe\n"), options)
			r.wantNoError(t)
			r.wantEnd(t, history.EndedComplete, forth)
			r.wantFailures(t, tt.failures...)
			wantEqual(t, "phases", r.phases(), history.Phases())
			wantEqual(t, "gates that did not hold", r.refused(), append(tt.refused, tt.also...))
			for name, c := range r.failures() {
				if since := r.view.PhaseStart[tt.since]; c.FirstFailure < since {
					t.Errorf("first failure at %s: got %s, want not before %s at %s", name, c.FirstFailure.Wall(), tt.since, since.Wall())
				}
			}
		})
	}
}

// TestAGateNamesWhoDoesNotPublish pins the signer: those who take what it
// publishes can do nothing about it, and are not named.
func TestAGateNamesWhoDoesNotPublish(t *testing.T) {
	t.Parallel()
	stuck := "services: {auth: {pinned: true}}\n"
	enforced := rehearse(t, planned(t, stuck+"gates: enforce\n"), simulated.Options{})
	wantEqual(t, "gates that did not hold", enforced.refused(), []string{"verify auth"})
	observed := rehearse(t, planned(t, stuck+"gates: observe\n"), simulated.Options{})
	wantEqual(t, "gates that did not hold", observed.refused(), []string{"verify auth", "emit auth", "overlap app", "overlap auth", "overlap web", "watch auth"})
}

// TestAGateNamesAnIssuerThatNobodyIsSeenToAsk: the key set of a second issuer may be what a
// balancer hands out, so that one without the new key is not let through.
func TestAGateNamesAnIssuerThatNobodyIsSeenToAsk(t *testing.T) {
	t.Parallel()
	second := "override: {consumers: [{name: auth, roles: [emit], refresh: 1m}, {name: auth-b, roles: [emit], refresh: 1m}, {name: checkout, roles: [validate], library: keyfunc}, {name: search, roles: [validate], library: jwx}]}\ngates: enforce\n"
	stuck := rehearse(t, planned(t, second+"services: {auth-b: {serve: issuer, pinned: true}}\n"), simulated.Options{})
	wantEqual(t, "gates that did not hold", stuck.refused(), []string{"verify auth-b"})
	well := rehearse(t, planned(t, second+"services: {auth-b: {serve: issuer}}\n"), simulated.Options{})
	wantEqual(t, "gates that did not hold", well.refused(), nil)
}

// TestOldKidInTheOverlap: an issuer that writes the old kid when two keys are published is
// refused as one that does so from the start.
func TestOldKidInTheOverlap(t *testing.T) {
	t.Parallel()
	r := rehearse(t, planned(t, "gates: observe\nfaults: [{kind: old-kid, on: auth, at: overlap+1m, for: 5m}]\n"), simulated.Options{})
	if len(r.failures()) == 0 {
		t.Error("nobody was refused, want those whose tokens name the old key")
	}
}
