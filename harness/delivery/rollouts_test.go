package delivery

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// TestDisturbRollouts: what a consumer is started anew with, while its rollouts go wrong
// and when they are right again.
func TestDisturbRollouts(t *testing.T) {
	const paused, early = world.RolloutPaused, world.RolloutEarly
	for _, tt := range []struct {
		name   string
		sticks bool // the runtime has rollouts that go on by themselves
		how    world.RolloutTrouble
		want   []string // that it was started anew with, or was to be
	}{
		{"stuck, in a cluster", true, paused, []string{"stuck v2", "stuck v3", "v3", "v4"}},
		{"stuck, where nothing goes on by itself", false, paused, []string{"v3", "v4"}},
		{"too early", true, early, []string{"v1", "v2", "v3", "v4"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, document, _ := newTestDelivery("api-key")
			var got []string
			began := func(prefix string, environment map[string]string) error {
				var given struct{ Emit string }
				if err := json.Unmarshal([]byte(environment[contract.SecretVariable]), &given); err != nil {
					return err
				}
				got = append(got, prefix+given.Emit)
				return nil
			}
			d.redeploy = func(_ context.Context, _ string, environment map[string]string) error { return began("", environment) }
			if tt.sticks {
				d.stick = func(_ context.Context, _ string, environment map[string]string, by world.RolloutTrouble) error {
					if by != tt.how {
						t.Errorf("stuck by %q, want %q", by, tt.how)
					}
					return began("stuck ", environment)
				}
			}
			var wrote []string
			d.hooks.Wrote = func(_, _, identifier string, _ time.Time) { wrote = append(wrote, identifier) }
			if err := d.Begin(t.Context(), []world.Spec{{Name: "billing", Config: &contract.Charger{Published: contract.Published{Variable: contract.SecretVariable}}}}); err != nil {
				t.Fatal(err)
			}
			publish := func(emit string) {
				t.Helper()
				document["emit"] = emit
				if err := d.deliver(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			disturb := func(how world.RolloutTrouble) {
				t.Helper()
				if err := d.DisturbRollouts(t.Context(), "billing", how); err != nil {
					t.Fatal(err)
				}
			}
			disturb(tt.how)
			publish("v2")
			publish("v3")
			publish("v3") // a step that changes nothing for it
			if len(wrote) > 0 {
				t.Errorf("told that billing has %q, which it has not", wrote)
			}
			disturb("")
			publish("v4")
			if !slices.Equal(got, tt.want) {
				t.Errorf("started with %q, want %q", got, tt.want)
			}
			if want := []string{"v3", "v4"}; !slices.Equal(wrote, want) {
				t.Errorf("told that billing has %q, want %q", wrote, want)
			}
			if err := d.DisturbRollouts(t.Context(), "payments", tt.how); err == nil {
				t.Error("got no error for one that is not started anew")
			}
			if err := d.End(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
