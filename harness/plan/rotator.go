package plan

import (
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// SeenEvery is how often it is looked what a rotator of the team's own has done; wall
// time.
const SeenEvery = 500 * time.Millisecond

// switchSeen is wall time by which it may be told late that an emitter has switched.
const switchSeen = time.Second

// rotatorRoom is wall time beside what the page says that a rotator has by default.
const rotatorRoom = time.Minute

// RotatorTimeout is how long a rotator of the team's own may take for all of it, in
// wall time; 0: there is none.
func (p *Plan) RotatorTimeout() time.Duration {
	a := p.Rehearsal.Attach
	switch {
	case a == nil || a.Rotator == nil:
		return 0
	case a.Rotator.Timeout > 0:
		return a.Rotator.Timeout.Duration()
	}
	return p.Times.Lead + 2*p.Times.Propagation + p.Times.Window + rotatorRoom
}

// rotator refuses to enforce gates on a rotator that nobody may stop, and to take back
// what the team says no way back for; without a word of the scenario gates observe it.
func (b *builder) rotator() source.Problems {
	a := b.s.Attach
	if a == nil || a.Rotator == nil {
		return nil
	}
	refuse := func(path, option, asked, hint, message string) source.Problems {
		problem := source.Problem{Position: b.loaded.Position(path), Path: path, Message: message, Hint: hint}
		if asked != "" {
			problem.Position, problem.Path = source.Position{File: option}, ""
		}
		return source.Problems{problem}
	}
	switch {
	case b.s.Gates == "" && !a.Rotator.Stoppable():
		b.s.Gates = scenario.Observe
	case b.s.Gates == scenario.Enforce && !a.Rotator.Stoppable():
		return refuse("gates", "--gates", string(b.asked.Gates), "gates: observe; or say attach.rotator.stop, or may_end", "nobody may stop the rotator, and a gate that is enforced would have to")
	case b.s.RollbackFrom != "" && (!a.Rotator.Stoppable() || a.Rotator.Back == nil):
		return refuse("rollback_from", "--rollback-from", b.asked.RollbackFrom, "say attach.rotator.back, and stop or may_end", "the rotator cannot be stopped and its rotation taken back")
	}
	return nil
}

// Rotator reports whether a rotator of the team's own takes steps.
func (l Limits) Rotator() bool { return len(l.Rotated) > 0 }

// lead is what the new credential had between accept and emit: what the page says or,
// of a rotator of the team's own, what it was seen to let pass.
func (l Limits) lead(s Sight) (lead, room time.Duration) {
	if !l.Rotator() {
		return l.Lead, 0
	}
	return l.between(s, string(keyring.Accept), s.New, string(keyring.Emit), s.New)
}

// unled reports whether there is no lead to be held against a rotator: it was not seen
// to accept and emit, or had the new credential in use only when it was seen that a
// validator takes it, which has it from that moment on where it decides itself.
func (l Limits) unled(s Sight, v Validator) bool {
	accepted, was := s.View.Steps[string(keyring.Accept)][s.New]
	emitted, did := s.View.Steps[string(keyring.Emit)][s.New]
	return l.Rotator() && (!was || !did || v.Authority && accepted <= emitted)
}

// window is, as lead, what the old one had after the last emitter's switch.
func (l Limits) window(s Sight) (window, room time.Duration) {
	if !slices.Contains(l.Rotated, string(keyring.Revoke)) {
		return l.Window, 0
	}
	window, room = l.between(s, string(keyring.Emit), s.New, string(keyring.Revoke), s.Old)
	if began, ok := s.View.PhaseStart[history.Overlap]; ok { // when the last was seen to have switched
		window = l.Page(max(0, s.View.Steps[string(keyring.Revoke)][s.Old]-began).Duration())
		room += l.Page(switchSeen)
	}
	return window, room
}

// unrevoked reports whether a rotator was not seen to revoke: there is no window to be
// held against it.
func (l Limits) unrevoked(s Sight) bool {
	_, was := s.View.Steps[string(keyring.Revoke)][s.Old]
	return slices.Contains(l.Rotated, string(keyring.Revoke)) && !was
}

// between is the page time between two steps as they were seen, and by how much that
// may be wrong.
func (l Limits) between(s Sight, first, of, second, another string) (passed, room time.Duration) {
	from, began := s.View.Steps[first][of]
	to, ended := s.View.Steps[second][another]
	if began && ended {
		passed = l.Page(max(0, to-from).Duration())
	}
	return passed, l.Page(SeenEvery)
}
