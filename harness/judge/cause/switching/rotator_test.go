package switching

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

func TestNotAccepted(t *testing.T) {
	at := func(seconds float64) history.Offset { return history.Offset(seconds * float64(time.Second)) }
	step := func(seconds float64, step, credential string) history.Event {
		return history.Event{At: at(seconds), Kind: history.KindStep, Phase: history.Verify, Step: step, Credential: credential}
	}
	for _, tt := range []struct {
		name    string
		rotator bool
		steps   []history.Event
		first   float64
		why     string // "": it does not match
	}{
		{"never accepted", true, []history.Event{step(5, "emit", "k2")}, 6, "the rotator had k2 in use, and it was never seen to be accepted: what is in use is not what db was given"},
		{"accepted later", true, []history.Event{step(5, "emit", "k2"), step(8, "accept", "k2")}, 6, "the rotator had k2 in use 3s before it was accepted"},
		{"refused after it was accepted", true, []history.Event{step(5, "emit", "k2"), step(8, "accept", "k2")}, 9, ""},
		{"accepted first", true, []history.Event{step(4, "accept", "k2"), step(5, "emit", "k2")}, 6, ""},
		{"the run's own steps", false, []history.Event{step(5, "emit", "k2")}, 6, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := &evidence.Evidence{Limits: plan.Limits{Speed: 1, Rotated: map[bool][]string{true: {"accept", "emit", "revoke"}}[tt.rotator]}, Old: "k1", Fresh: "k2", Events: tt.steps, View: history.NewView()}
			told, matches := NotAccepted(&cell.Cell{Evidence: e, Validator: plan.Validator{Name: "db"}, Credential: "k2", First: at(tt.first)})
			if matches != (tt.why != "") || told.Why != tt.why {
				t.Errorf("got %v, %q; want %q", matches, told.Why, tt.why)
			}
			if matches && told.Consumer != "rotator" {
				t.Errorf("it names %q, want the rotator", told.Consumer)
			}
		})
	}
}
