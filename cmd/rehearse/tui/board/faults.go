package board

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// Fault is a disturbance from its injection to its undoing.
type Fault struct {
	Kind, Target, By string
	Injected, Undone history.Offset // -1: not, or not yet
	Measured         bool           // whether it took effect
	Took             bool           // it did
	Detail           string         // of a failure
	Evidence         map[string]float64
}

// UnderWay says whether it was injected and is not undone.
func (f Fault) UnderWay() bool { return f.Injected >= 0 && f.Undone < 0 }

// fault follows a fault.
func (b *Board) fault(at history.Offset, e *history.Fault) {
	i := slices.IndexFunc(b.faults, func(f Fault) bool { return f.Kind == e.Kind && f.Target == e.Target && f.Undone < 0 })
	if i < 0 {
		i = len(b.faults)
		b.faults = append(b.faults, Fault{Kind: e.Kind, Target: e.Target, By: e.By, Injected: -1, Undone: -1, Evidence: map[string]float64{}})
	}
	f := &b.faults[i]
	for name, figure := range e.Evidence {
		f.Evidence[name] = figure
	}
	switch e.Stage {
	case history.FaultInjected:
		f.Injected = at
	case history.FaultEvidence:
		f.Measured, f.Took = true, e.Took
	case history.FaultUndone:
		f.Undone = at
	default:
		f.Detail = e.Detail
	}
}

// Faults are those that were ordered so far, the newest last.
func (s *State) Faults() []Fault { return s.faults }
