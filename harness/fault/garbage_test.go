package fault

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestAMadeUpTokenIsSeenToItsEnd: one that is on its way when the fault is undone
// is counted, since its validator may have had it.
func TestAMadeUpTokenIsSeenToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &garbage{service: "search", every: time.Second, site: &site{Graph: &Graph{plan: &plan.Plan{}}, Place: Place{
			History: &diary{},
			UnknownKey: func(ctx context.Context, _ string) (history.Probe, error) {
				select {
				case <-ctx.Done():
					return history.Probe{}, ctx.Err()
				case <-time.After(500 * time.Millisecond):
					return history.Probe{Purpose: history.Garbage, Outcome: history.AuthFailure}, nil
				}
			},
		}}}
		if err := g.Inject(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1200 * time.Millisecond) // the second is on its way
		if err := g.Undo(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := g.shown[asked]; n != 2 {
			t.Errorf("got %g tokens on record, want both", n)
		}
	})
}
