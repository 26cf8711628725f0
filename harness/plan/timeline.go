package plan

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// Stretch is a phase as it is planned.
type Stretch struct {
	Phase history.Phase
	// From the beginning of the baseline, in page time and in wall time.
	PageStart, WallStart time.Duration
	// The length of emit is the longest that the emitters may take; a phase
	// that only acts has none. None includes how long steps and probes take
	// themselves, nor that of the baseline the wait for SlowestCache.
	PageLength, WallLength time.Duration
}

// Timeline is the phases of an undisturbed run, in order.
func (p *Plan) Timeline() []Stretch {
	lengths := map[history.Phase]time.Duration{
		history.Baseline: p.Rehearsal.Baseline.Duration(),
		history.Verify:   p.Limits.Lead, // accept only acts; verify asks at the end of the lead
		history.Emit:     p.Limits.Switching(),
		history.Overlap:  p.Limits.Window,
		history.Watch:    p.Limits.Watch,
	}
	var stretches []Stretch
	var page, wall time.Duration
	for _, phase := range history.Phases() {
		s := Stretch{
			Phase: phase, PageStart: page, WallStart: wall,
			PageLength: lengths[phase], WallLength: p.Wall(lengths[phase]),
		}
		stretches = append(stretches, s)
		page, wall = page+s.PageLength, wall+s.WallLength
	}
	return stretches
}
