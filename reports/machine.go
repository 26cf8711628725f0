package reports

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/reports/chart"
)

// Strained is the strain on the machine over time: shares of the time, one for each point of a track.
type Strained struct {
	// CPU and Memory are the shares of time in which somebody waited for a processor or for memory, by
	// the kernel; NaN where unknown.
	CPU, Memory []float64
	// Kept is the share of time in which the harness or load was kept from running.
	Kept []float64
}

// strain adds an event to the strip of the machine.
func (t *Timeline) strain(e *history.Event, points int) {
	if e.Machine == nil || points == 0 {
		return
	}
	if t.Machine == nil {
		t.Machine = &Strained{CPU: make([]float64, points), Memory: make([]float64, points), Kept: make([]float64, points)}
	}
	// A share holds from its measurement until the next one.
	switch m := e.Machine; m.What {
	case history.MachinePressure:
		for i := t.pointAt(m.From, points); i < points; i++ {
			t.Machine.CPU[i], t.Machine.Memory[i] = m.Shares["cpu"], m.Shares["memory"]
		}
	case history.MachineStrained:
		if e.At <= t.Start || e.At <= m.From {
			return
		}
		share := min(1, float64(m.Lost)/float64(e.At-m.From))
		for i := t.pointAt(m.From, points); i <= t.pointAt(e.At, points); i++ {
			t.Machine.Kept[i] = max(t.Machine.Kept[i], share)
		}
	}
}

// pointAt is the point of a track in which a moment lies, or the nearest one.
func (t *Timeline) pointAt(at history.Offset, points int) int {
	return int(max(0, min(history.Offset(points-1), (at-t.Start)/max(t.Width, 1))))
}

// strip draws the strain; false where nothing is known of it.
func (s *Strained) strip() (chart.Panel, bool) {
	if s == nil {
		return chart.Panel{}, false
	}
	p := chart.Panel{
		Name: "The machine: share of the time", Max: 1,
		Ticks: []chart.Tick{{At: 0, Label: "0 %"}, {At: 0.5, Label: "50 %"}, {At: 1, Label: "100 %"}},
		Lines: []chart.Line{{Name: "waited for a processor", Values: s.CPU}},
	}
	for _, line := range []chart.Line{{Name: "waited for memory", Values: s.Memory}, {Name: "harness or load kept from running", Values: s.Kept}} {
		if slices.ContainsFunc(line.Values, func(v float64) bool { return v >= 0.01 }) {
			p.Lines = append(p.Lines, line)
		}
	}
	return p, true
}
