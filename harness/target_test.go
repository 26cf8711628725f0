package harness

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// TestOneRehearsalOfASystem: a second run of the same system is refused, or waits
// where it is to; one of another system is not.
func TestOneRehearsalOfASystem(t *testing.T) {
	runs := filepath.Join(t.TempDir(), "runs")
	begin := func(wait time.Duration, urls map[string]string) (*run, error) {
		r := &run{plan: &plan.Plan{Rehearsal: scenario.Scenario{Attach: &scenario.Attach{URLs: urls}}}, o: Options{Runs: runs, Lock: wait}.withDefaults()}
		return r, r.lockTargets(t.Context())
	}
	end := func(r *run) {
		t.Helper()
		if err := r.cleanAll(context.Background()); err != nil {
			t.Error(err)
		}
	}
	shop := map[string]string{"auth": "http://127.0.0.1:7001", "search": "http://127.0.0.1:7002"}
	first, err := begin(0, shop)
	if err != nil {
		t.Fatal(err)
	}
	other, err := begin(0, map[string]string{"auth": "http://127.0.0.1:8001"})
	if err != nil {
		t.Errorf("another system: got %v, want it taken", err)
	}
	end(other)
	// One address in common is enough.
	second, err := begin(0, map[string]string{"issuer": "http://127.0.0.1:7001/realms/a"})
	if !errors.Is(err, ErrTargetInUse) {
		t.Errorf("the same system: got %v, want it refused", err)
	}
	end(second)
	waits := make(chan error)
	go func() {
		r, err := begin(20*time.Second, shop)
		waits <- errors.Join(err, r.cleanAll(context.Background()))
	}()
	end(first)
	if err := <-waits; err != nil {
		t.Errorf("one that waits: got %v, want the system when the other has ended", err)
	}
}

func TestTargets(t *testing.T) {
	got := targets(&scenario.Attach{Compose: "shop", URLs: map[string]string{"b": "http://b:1/x", "a": "https://a:2", "c": "http://b:1"}})
	if want := []string{"a:2", "b:1", "compose project shop"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
