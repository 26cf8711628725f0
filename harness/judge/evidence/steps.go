package evidence

import (
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// Several reports whether what a presenter presents is every accepted credential
// at once.
func (e *Evidence) Several(presenter string) bool {
	m, _ := e.Limits.Emitter(e.EmitterOf(presenter))
	return m.Several
}

// FlagDay reports whether accept, emit and revoke came so close together that nobody could learn in
// between.
func (e *Evidence) FlagDay() bool {
	accepted, a := e.Done(keyring.Accept, e.Fresh)
	revoked, r := e.Done(keyring.Revoke, e.Old)
	return a && r && revoked-accepted <= history.Offset(e.Limits.Wall(e.Limits.Switching()))+2*Nearly
}

// RevokedAt is when the old credential was revoked.
func (e *Evidence) RevokedAt() (history.Offset, bool) { return e.Done(keyring.Revoke, e.Old) }

// EmitToRevoke is the time from the emit until the revoke.
func (e *Evidence) EmitToRevoke() (from, until history.Offset) {
	from, _ = e.Begun(keyring.Emit, e.Fresh)
	until, revoked := e.Begun(keyring.Revoke, e.Old)
	if !revoked {
		until = e.End + 1
	}
	return from, until
}

// BeforeRevoke reports whether refusals began before the old credential was revoked. An authority
// refuses before that step is recorded as done.
func (e *Evidence) BeforeRevoke(sum *history.Counts) bool {
	revoked, wasRevoked := e.Begun(keyring.Revoke, e.Old)
	return !wasRevoked || sum.FirstFailure < revoked-Nearly
}

// BoundsSeen are the bounds of the page with what the run has seen.
func (e *Evidence) BoundsSeen() []plan.Bound {
	return e.Limits.BoundsSeen(plan.Sight{View: e.View, Old: e.Old, New: e.Fresh})
}
