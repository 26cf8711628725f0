package plan

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// Stretch is a phase as it is planned.
type Stretch struct {
	Phase history.Phase
	// Since the beginning of the baseline, in page time and in wall time.
	PageStart, WallStart time.Duration
	// Emit lasts at most as long as the emitters may take; phases that only act have no length. Steps,
	// probes and the baseline's wait for the worst moment (Timed) are not included.
	PageLength, WallLength time.Duration
}

// Length is how long a phase is planned to last, in page time: none where it only
// acts. A baseline's is the scenario's, and not known to the limits.
func (l Limits) Length(phase history.Phase) time.Duration {
	switch phase {
	case history.Verify: // accept only acts, and verify is the wait for the lead
		return l.Lead
	case history.Emit:
		return l.Switching()
	case history.Overlap:
		return l.Window
	case history.Revoke: // which waits for what expires by itself
		return max(0, l.Expires-l.Window)
	case history.Watch:
		return l.Watch
	}
	return 0
}

// Timeline is the phases of an undisturbed run, in order.
func (p *Plan) Timeline() []Stretch {
	var stretches []Stretch
	var page, wall time.Duration
	for _, phase := range history.Phases() {
		length := p.Limits.Length(phase)
		if phase == history.Baseline {
			length = p.Rehearsal.Baseline.Duration()
		}
		s := Stretch{Phase: phase, PageStart: page, WallStart: wall, PageLength: length, WallLength: p.Wall(length)}
		stretches = append(stretches, s)
		page, wall = page+s.PageLength, wall+s.WallLength
	}
	return stretches
}
