package reports

import (
	"slices"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestStripOfTheMachine draws what was told, from when until when it was so, and
// nothing where nothing was told.
func TestStripOfTheMachine(t *testing.T) {
	at := func(seconds float64) history.Offset { return history.Offset(seconds * float64(time.Second)) }
	pressure := func(from, until, cpu float64) history.Event {
		return history.Event{At: at(until), Kind: history.KindMachine, Machine: &history.Machine{
			What: history.MachinePressure, From: at(from), Shares: map[string]float64{"cpu": cpu},
		}}
	}
	frame := []history.Event{
		{At: at(2), Kind: history.KindPhase, Phase: history.Baseline},
		{At: at(12), Kind: history.KindEnd, Detail: history.EndedComplete},
	}
	for _, tt := range []struct {
		name   string
		events []history.Event
		lines  []string
		cpu    map[float64]float64 // by moment
		kept   map[float64]float64
	}{
		{name: "nothing is known"},
		{"pressure that changes", []history.Event{pressure(0, 1, 0.2), pressure(6, 7, 0.9)}, []string{"waited for a processor"},
			map[float64]float64{2: 0.2, 5.9: 0.2, 6: 0.9, 11.9: 0.9}, nil},
		{"stopped", []history.Event{pressure(0, 1, 0.2), {At: at(8), Kind: history.KindMachine, Machine: &history.Machine{
			What: history.MachineStrained, Who: history.TheLoad, From: at(4), Lost: at(3),
		}}}, []string{"waited for a processor", "harness or load kept from running"}, map[float64]float64{5: 0.2}, map[float64]float64{3.9: 0, 4: 0.75, 8: 0.75, 8.2: 0}},
		{"stopped before it began", []history.Event{pressure(0, 1, 0.2), {At: at(1.5), Kind: history.KindMachine, Machine: &history.Machine{
			What: history.MachineStrained, Who: history.TheLoad, From: at(0), Lost: at(1),
		}}}, []string{"waited for a processor"}, map[float64]float64{5: 0.2}, map[float64]float64{2: 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			events := append(slices.Clone(tt.events), frame...)
			slices.SortStableFunc(events, func(a, b history.Event) int { return int(a.At - b.At) })
			line := TimelineOf(&history.History{Events: events}, plan.Limits{})
			panel, ok := line.Machine.strip()
			if ok != (tt.lines != nil) {
				t.Fatalf("strip: got %t, want %t", ok, tt.lines != nil)
			}
			var names []string
			for _, l := range panel.Lines {
				names = append(names, l.Name)
			}
			if !slices.Equal(names, tt.lines) {
				t.Errorf("lines: got %q, want %q", names, tt.lines)
			}
			hold := func(what string, values func(*Strained) []float64, want map[float64]float64) {
				for moment, share := range want {
					if got := values(line.Machine)[line.pointAt(at(moment), len(line.Machine.CPU))]; got != share {
						t.Errorf("%s at %vs: got %v, want %v", what, moment, got, share)
					}
				}
			}
			hold("cpu", func(s *Strained) []float64 { return s.CPU }, tt.cpu)
			hold("kept", func(s *Strained) []float64 { return s.Kept }, tt.kept)
		})
	}
}
