package simulated

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

func TestOperator(t *testing.T) {
	w := New(planned(t), Options{
		Answers:  map[history.Phase]world.Command{history.Revoke: world.RollBack},
		Commands: []Command{{At: Moment{Phase: history.Verify, After: time.Second}, Command: world.Abort}},
	}).World()
	for phase, want := range map[history.Phase]world.Command{history.Emit: world.GoOn, history.Revoke: world.RollBack} {
		if got, err := w.Operator.Approve(t.Context(), phase); err != nil || got != want {
			t.Errorf("approve %s: got %s, %v, want %s", phase, got, err, want)
		}
	}
	came := func() world.Command {
		select {
		case c := <-w.Operator.Interrupt():
			return c
		default:
			return ""
		}
	}
	pass(t, w, 5*time.Second)
	w.History.Record(history.Event{Kind: history.KindPhase, Phase: history.Verify})
	if got := came(); got != "" {
		t.Errorf("when the phase began: got %s, want nothing yet", got)
	}
	pass(t, w, time.Second)
	if got := came(); got != world.Abort {
		t.Errorf("1s after the phase began: got %q, want %s", got, world.Abort)
	}
	if got := came(); got != "" {
		t.Errorf("after that: got %s, want nothing: it comes once", got)
	}
}

func TestFaultsOfAPhase(t *testing.T) {
	w := provisioned(t, Options{Down: map[string]Span{
		"search":   {From: Moment{Phase: history.Emit, After: time.Second}},
		"checkout": {From: Moment{Phase: history.Emit, After: time.Minute}},
	}})
	outcome := func(validator string) history.Outcome {
		probe, err := w.Probes.Present(t.Context(), validator, "k1", history.Canary)
		if err != nil {
			t.Errorf("present k1 to %s: %v", validator, err)
		}
		return probe.Outcome
	}
	w.Faults.Begin(t.Context(), history.Verify)
	pass(t, w, 2*time.Second)
	if got := outcome("search"); got != history.OK {
		t.Errorf("in another phase: got %s, want %s", got, history.OK)
	}
	w.Faults.Begin(t.Context(), history.Emit)
	if got := outcome("search"); got != history.OK {
		t.Errorf("when the phase begins: got %s, want %s", got, history.OK)
	}
	pass(t, w, time.Second)
	if got := outcome("search"); got != history.Unavailable {
		t.Errorf("1s into the phase: got %s, want %s", got, history.Unavailable)
	}
	if err := w.Faults.Undo(t.Context()); err != nil {
		t.Errorf("undo: %v", err)
	}
	if got := outcome("search"); got != history.OK {
		t.Errorf("when it is undone: got %s, want %s", got, history.OK)
	}
	pass(t, w, time.Hour)
	if got := outcome("checkout"); got != history.OK {
		t.Errorf("at one whose fault was still to come: got %s, want %s", got, history.OK)
	}
}
