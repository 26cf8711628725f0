package plan

import (
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// SeenEvery is how often the harness looks at what a rotator has done; wall time.
const SeenEvery = 500 * time.Millisecond

// switchSeen is by how much the report of an emitter's switch may be late; wall time.
const switchSeen = time.Second

// rotatorRoom is the wall time that a rotator has by default beyond what the page says.
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

// rotator refuses enforced gates for a rotator that nobody may stop, and a rollback for which the team
// gives no way. Where the scenario does not say, gates are observed.
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

// lead is the time between accept and emit: the page's or, for a rotator, the one seen.
func (l Limits) lead(s Sight) (lead, room time.Duration) {
	if !l.Rotator() {
		return l.Lead, 0
	}
	return l.between(s, string(keyring.Accept), s.New, string(keyring.Emit), s.New)
}

// unled reports whether there is no lead to hold against a rotator: accept and emit were not seen, or
// the emit was only seen by a validator's taking the credential, which it then had from that moment on.
func (l Limits) unled(s Sight, v Validator) bool {
	accepted, was := s.View.Steps[string(keyring.Accept)][s.New]
	emitted, did := s.View.Steps[string(keyring.Emit)][s.New]
	return l.Rotator() && (!was || !did || v.Authority && accepted <= emitted)
}

// window is the time from the last emitter's switch to the revoke: the page's or, for a rotator, the
// one seen.
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

// unrevoked reports whether a rotator was not seen to revoke: there is no window to hold against it.
func (l Limits) unrevoked(s Sight) bool {
	_, was := s.View.Steps[string(keyring.Revoke)][s.Old]
	return slices.Contains(l.Rotated, string(keyring.Revoke)) && !was
}

// between is the page time between two steps as they were seen, and its precision.
func (l Limits) between(s Sight, first, of, second, another string) (passed, room time.Duration) {
	from, began := s.View.Steps[first][of]
	to, ended := s.View.Steps[second][another]
	if began && ended {
		passed = l.Page(max(0, to-from).Duration())
	}
	return passed, l.Page(SeenEvery)
}
