package simulated

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// provisioned is a world in which k1 is emitted.
func provisioned(t *testing.T, o Options) world.World {
	t.Helper()
	w := New(planned(t), o).World()
	take(t, w, keyring.Accept, "k1")
	take(t, w, keyring.Emit, "k1")
	return w
}

// pass lets time go on.
func pass(t *testing.T, w world.World, d time.Duration) {
	t.Helper()
	if err := w.Clock.Sleep(t.Context(), d); err != nil {
		t.Fatalf("let %s pass: %v", d, err)
	}
}

// take takes a step and makes the credential first where it is accepted.
func take(t *testing.T, w world.World, step keyring.Step, credential string) {
	t.Helper()
	if step == keyring.Accept {
		if _, err := w.Steps.Make(t.Context(), credential); err != nil {
			t.Fatalf("make %s: %v", credential, err)
		}
	}
	if err := w.Steps.Do(t.Context(), step, credential); err != nil {
		t.Fatalf("%s %s: %v", step, credential, err)
	}
}

func TestStepsFollowTheKeyring(t *testing.T) {
	w := provisioned(t, Options{})
	for _, illegal := range []keyring.Intent{
		{Step: keyring.Emit, Credential: "k2"},   // not there
		{Step: keyring.Revoke, Credential: "k1"}, // emitted
	} {
		if err := w.Steps.Do(t.Context(), illegal.Step, illegal.Credential); !errors.Is(err, keyring.ErrIllegal) {
			t.Errorf("%s %s: got %v, want %v", illegal.Step, illegal.Credential, err, keyring.ErrIllegal)
		}
	}
	if _, err := w.Steps.Make(t.Context(), "k1"); !errors.Is(err, keyring.ErrIllegal) {
		t.Errorf("make k1 again: got %v, want %v", err, keyring.ErrIllegal)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Steps.Do(ended, keyring.Emit, "k1"); !errors.Is(err, context.Canceled) {
		t.Errorf("a step in a context that has ended: got %v, want %v", err, context.Canceled)
	}
}

func TestScriptedErrorsComeOnce(t *testing.T) {
	broken := errors.New("out of order")
	w := provisioned(t, Options{
		MakeError:  broken,
		StepErrors: map[keyring.Intent]error{{Step: keyring.Accept, Credential: "k2"}: broken},
	})
	if _, err := w.Steps.Make(t.Context(), "k2"); !errors.Is(err, broken) {
		t.Errorf("first make: got %v, want %v", err, broken)
	}
	if id, err := w.Steps.Make(t.Context(), "k2"); err != nil || id == "" {
		t.Errorf("second make: got %q, %v, want an identifier", id, err)
	}
	if err := w.Steps.Do(t.Context(), keyring.Accept, "k2"); !errors.Is(err, broken) {
		t.Errorf("first accept: got %v, want %v", err, broken)
	}
	if err := w.Steps.Do(t.Context(), keyring.Accept, "k2"); err != nil {
		t.Errorf("second accept: got %v, want none", err)
	}
}

func TestProbes(t *testing.T) {
	w := provisioned(t, Options{Down: map[string]Span{"search": {From: Moment{After: 30 * time.Second}}}})
	present := func(validator, credential string, purpose history.Purpose) history.Probe {
		t.Helper()
		probe, err := w.Probes.Present(t.Context(), validator, credential, purpose)
		if err != nil {
			t.Errorf("present %s to %s: %v", credential, validator, err)
		}
		if probe.Purpose != purpose {
			t.Errorf("purpose: got %s, want %s", probe.Purpose, purpose)
		}
		return probe
	}
	if got := present("search", "k1", history.Canary); got.Outcome != history.OK || got.CausedFetch {
		t.Errorf("the emitted credential: got %+v, want it taken without a fetch", got)
	}
	if got := present("search", "k2", history.Canary); got.Outcome != history.AuthFailure || got.CausedFetch {
		t.Errorf("an unknown one at search, which fetches by expiry only: got %+v, want it refused without a fetch", got)
	}
	if got := present("checkout", "k2", history.Canary); got.Outcome != history.AuthFailure || !got.CausedFetch {
		t.Errorf("an unknown one at checkout: got %+v, want it refused after a fetch", got)
	}
	if _, err := w.Probes.Present(t.Context(), "search", "k1", history.OldAfter); !errors.Is(err, errNoToken) {
		t.Errorf("the old one after a revoke without a token held: got %v, want %v", err, errNoToken)
	}
	if err := w.Probes.Hold(t.Context(), "k1", 10*time.Second); err != nil {
		t.Errorf("hold: %v", err)
	}
	if got := present("search", "k1", history.OldAfter); got.Outcome != history.OK {
		t.Errorf("the old one with a token held: got %+v, want it taken", got)
	}
	pass(t, w, 10*time.Second)
	if _, err := w.Probes.Present(t.Context(), "search", "k1", history.OldAfter); !errors.Is(err, errNoToken) {
		t.Errorf("the old one when its token has expired: got %v, want %v", err, errNoToken)
	}
	pass(t, w, 20*time.Second)
	if got := present("search", "k1", history.Canary); got.Outcome != history.Unavailable {
		t.Errorf("at a validator that is down: got %+v, want it unavailable", got)
	}
	if _, err := w.Probes.Present(t.Context(), "serach", "k1", history.Canary); err == nil {
		t.Error("at a validator that does not exist: got no error, want one")
	}
}
