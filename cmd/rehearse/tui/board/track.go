package board

import (
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// Stage is a phase on the track.
type Stage struct {
	Phase history.Phase
	State StageState
}

// StageState is where a phase stands.
type StageState int

// The states.
const (
	ToCome StageState = iota
	UnderWay
	Done
	Cut // it had begun when the rotation was turned back, or ended
)

// Track is the phases in order, with the way back where it was taken.
func (s *State) Track() []Stage {
	var track []Stage
	current := s.view.Phase
	_, back := s.view.PhaseStart[history.Rollback]
	var reached history.Phase // the last of the way forward
	for _, p := range history.Phases() {
		if _, began := s.view.PhaseStart[p]; began {
			reached = p
		}
	}
	for _, p := range history.Phases() {
		stage := Stage{Phase: p}
		_, began := s.view.PhaseStart[p]
		switch {
		case !began:
		case p == current && !s.rotated:
			stage.State = UnderWay
		case p == reached && (back || s.rotated && s.ended != history.EndedComplete):
			stage.State = Cut
		default:
			stage.State = Done
		}
		track = append(track, stage)
	}
	if back {
		stage := Stage{history.Rollback, UnderWay}
		if s.rotated {
			stage.State = Done
			if s.ended != history.EndedRolledBack {
				stage.State = Cut
			}
		}
		track = append(track, stage)
	}
	return track
}

// Clock is how far the phase under way is; wall time, without that on hold. Length and All are 0
// where they are not known: on the way back, and outside of the phases.
type Clock struct {
	Elapsed time.Duration
	Length  time.Duration // planned
	All     time.Duration // left of the run
}

// Left is what is left of the phase.
func (c Clock) Left() time.Duration { return max(0, c.Length-c.Elapsed) }

// Clock is how far the phase under way is.
func (s *State) Clock() Clock {
	p := s.view.Phase
	start, began := s.view.PhaseStart[p]
	if !began || s.rotated {
		return Clock{}
	}
	c := Clock{Elapsed: max(0, s.Now()-start-s.view.OnHold(start, s.Now())).Duration()}
	phases := history.Phases()
	i := slices.Index(phases, p)
	if i < 0 {
		return c
	}
	c.Length = s.left(p, start)
	c.All = c.Left()
	for _, later := range phases[i+1:] {
		c.All += s.length(later)
	}
	return c
}

// left is how long a phase may last that began at a moment: the lead counts from the
// accept, the window from the last switch, and a person may have taken their time since.
func (s *State) left(p history.Phase, start history.Offset) time.Duration {
	length, from := s.length(p), start
	switch p {
	case history.Verify:
		if at, done := s.view.Steps[string(keyring.Accept)][s.New()]; done {
			from = at
		}
	case history.Overlap:
		from = min(start, max(s.view.LastSwitch(s.New()), s.view.Steps[string(keyring.Emit)][s.New()]))
	}
	return max(0, length-(start-from).Duration())
}

// length is how long a phase is planned to last, in wall time.
func (s *State) length(p history.Phase) time.Duration {
	if p == history.Baseline {
		return s.run.Limits.Wall(s.run.Baseline)
	}
	return s.run.Limits.Wall(s.run.Limits.Length(p))
}
