package console

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// TestMachine tells of what keeps a run from running for long, and of nothing less.
func TestMachine(t *testing.T) {
	machine := func(m history.Machine) history.Event {
		return history.Event{At: at(9000), Kind: history.KindMachine, Machine: &m}
	}
	for _, tt := range []struct {
		name  string
		event history.Event
		want  string // "": nothing
	}{
		{"stopped", machine(history.Machine{What: history.MachineStrained, Who: history.TheLoad, From: at(1500), Longest: at(7000)}), "did not let the load run for 7s"},
		{"a hiccup", machine(history.Machine{What: history.MachineStrained, Who: history.TheLoad, From: at(8000), Longest: at(600)}), ""},
		{"behind", machine(history.Machine{What: history.MachineBehind, Who: "web", From: at(1000), Due: 40000, Sent: 9000}), "web sent 9,000 of 40,000 requests that were due within 8s"},
		{"behind, since nobody answers", machine(history.Machine{What: history.MachineBehind, Who: "web", From: at(1000), Due: 40000, Sent: 9000, Full: true}), ""},
		{"pressure", machine(history.Machine{What: history.MachinePressure, Shares: map[string]float64{"cpu": 1}}), ""},
		{"without its part", history.Event{Kind: history.KindMachine}, ""},
	} {
		got := told(t, limits, Options{}, tt.event)
		if tt.want == "" && strings.Contains(got, "machine") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
