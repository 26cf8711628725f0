package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// lockedOut matches where an authority had locked the account for everybody. Who
// locked it is refused for a reason of its own, and so is who presents the old
// credential while that is revoked.
func lockedOut(c *cell) (explanation, bool) {
	lock, locked := c.lockedAt(c.validator.Name, c.first)
	if !locked || lock.Reader == c.presenter && lock.Credential == c.credential {
		return explanation{}, false
	}
	restored, again := c.done(string(keyring.Restore), c.old)
	if c.credential == c.old && !c.beforeRevoke(c.sum) && !(again && restored <= c.first) {
		return explanation{}, false
	}
	return c.tellLockedOut(c.validator.Name, lock), true
}

// lockedOutProbe matches where an authority refused the harness's own new
// credential since it had locked the account.
func lockedOutProbe(c *cell) (explanation, bool) {
	lock, locked := c.lockedAt(c.validator.Name, c.first)
	if !locked {
		return explanation{}, false
	}
	told := c.tellLockedOut(c.validator.Name, lock)
	told.causedBy, told.why = "", ": "+told.why
	return told, true
}

// lockedAt is the locking of an authority that was not over at a moment.
func (e *evidence) lockedAt(authority string, at history.Offset) (lock history.Event, there bool) {
	for _, event := range e.events {
		switch {
		case event.Service != authority || event.What == contract.LoginRetry: // see poisoned
		// Of two calls at a time, the one that locks may be logged after one that is locked out.
		case event.Kind == history.KindLocked && event.At <= at+history.Offset(nearly):
			lock, there = event, true
		case event.Kind == history.KindUnlocked && event.At <= at:
			there = false
		}
	}
	return lock, there
}

// tellLockedOut tells who has an authority refuse everybody.
func (e *evidence) tellLockedOut(authority string, lock history.Event) explanation {
	who := "rehearse itself"
	if lock.Reader != "" {
		who = lock.Reader
	}
	until := ""
	for _, event := range e.events {
		if event.Kind == history.KindUnlocked && event.Service == authority && event.At > lock.At {
			until = fmt.Sprintf(" for %s", e.page(event.At-lock.At))
			break
		}
	}
	told := explanation{
		cause: CauseLockedOut, consumer: lock.Reader, causedBy: e.lastStep(lock.At),
		why: fmt.Sprintf("%s took %d refused calls, most of them by %s%s with %s, for guessing, and locked the account%s: a right credential was refused too",
			authority, lock.Count, who, e.offPage(lock.Reader), lock.Credential, until),
		fix: fmt.Sprintf("have %s stop, or wait longer each time, once it is refused: a storm of refused calls of one locks out all", who),
	}
	if lock.Credential == e.old {
		told.fix = fmt.Sprintf("revoke only when the use of %s is zero; and %s", e.old, told.fix)
	}
	return told
}
