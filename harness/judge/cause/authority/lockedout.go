package authority

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// LockedOut matches where an authority had locked the account for everybody. The party that caused the
// lock was refused for a reason of its own, and so is the old credential once it is revoked.
func LockedOut(c *cell.Cell) (cell.Explanation, bool) {
	lock, locked := LockedAt(c.Evidence, c.Validator.Name, c.First)
	if !locked || lock.Reader == c.Presenter && lock.Credential == c.Credential {
		return cell.Explanation{}, false
	}
	restored, again := c.Done(keyring.Restore, c.Old)
	if c.Credential == c.Old && !c.BeforeRevoke(c.Sum) && !(again && restored <= c.First) {
		return cell.Explanation{}, false
	}
	return tellLockedOut(c.Evidence, c.Validator.Name, lock), true
}

// LockedOutProbe matches where an authority refused the harness's own new credential because it had
// locked the account.
func LockedOutProbe(c *cell.Cell) (cell.Explanation, bool) {
	lock, locked := LockedAt(c.Evidence, c.Validator.Name, c.First)
	if !locked {
		return cell.Explanation{}, false
	}
	told := tellLockedOut(c.Evidence, c.Validator.Name, lock)
	told.CausedBy, told.Why = "", ": "+told.Why
	return told, true
}

// LockedAt is an authority's lock that was in force at a moment.
func LockedAt(e *evidence.Evidence, authority string, at history.Offset) (lock history.Event, ok bool) {
	for _, event := range e.Events {
		switch {
		case event.Service != authority || event.What == contract.LoginRetry: // see poisoned
		// Of two concurrent calls, the one that causes the lock may be logged after one that meets it.
		case event.Kind == history.KindLocked && event.At <= at+evidence.Nearly:
			lock, ok = event, true
		case event.Kind == history.KindUnlocked && event.At <= at:
			ok = false
		}
	}
	return lock, ok
}

// lockLasted is how long a lock lasted; false where it was never lifted.
func lockLasted(e *evidence.Evidence, lock history.Event) (history.Offset, bool) {
	for _, event := range e.Events {
		if event.Kind == history.KindUnlocked && event.Service == lock.Service && event.At > lock.At {
			return event.At - lock.At, true
		}
	}
	return 0, false
}

// tellLockedOut tells who made an authority refuse everybody.
func tellLockedOut(e *evidence.Evidence, authority string, lock history.Event) cell.Explanation {
	who := "rehearse itself"
	if lock.Reader != "" {
		who = lock.Reader
	}
	until := ""
	if lasted, over := lockLasted(e, lock); over {
		until = fmt.Sprintf(" for %s", e.Page(lasted))
	}
	told := cell.Explanation{
		Cause: judge.CauseLockedOut, Consumer: lock.Reader, CausedBy: e.LastStep(lock.At),
		Why: fmt.Sprintf("%s locked the account against guessing%s, after %d refused calls, most of them by %s%s with %s: the right credential was refused too",
			authority, until, lock.Count, who, e.OffPage(lock.Reader), lock.Credential),
		Fix: fmt.Sprintf("have %s stop, or back off, once it is refused: the refused calls of one caller lock out all", who),
	}
	if lock.Credential == e.Old {
		told.Fix = fmt.Sprintf("revoke only when the use of %s is zero; and %s", e.Old, told.Fix)
	}
	return told
}

// LockedUnsaid matches where an authority still took the new credential after the old one was revoked, had then
// refused somebody the old one again and again, and has refused the new one from everybody since. That is how one
// looks that locks an account, and whose log does not say so: the step revoke has not taken the new one away.
func LockedUnsaid(c *cell.Cell) (cell.Explanation, bool) {
	done, was := c.Done(keyring.Revoke, c.Old)
	if !was || !c.Validator.Authority || !c.IsFresh() || c.First <= done {
		return cell.Explanation{}, false
	}
	after, since := c.RepliesTo(c.Fresh, done, c.First-1), c.RepliesTo(c.Fresh, c.First, c.End)
	who, n := refusedMost(c, c.Old, done, c.First)
	if after.Taken == 0 || since.Taken > 0 || len(since.Who) < 2 || n < cell.LeastRefusedProbes {
		return cell.Explanation{}, false
	}
	v := c.Validator.Name
	return cell.Explanation{
		Cause: judge.CauseLockedOut, Consumer: who, CausedBy: string(keyring.Revoke),
		Why: fmt.Sprintf("%s took %s for %s after the revoke of %s, and has refused it from everybody since (%s); by then it had refused %s %d times with %s: as if it had locked the account for guessing, though its log does not say so",
			v, c.Fresh, c.Page(c.First-done), c.Old, strings.Join(since.Who, ", "), who, n, c.Old),
		Fix: fmt.Sprintf("revoke only when the use of %s is zero, and have %s stop, or back off, once it is refused; ask the operators of %s whether it locks accounts, and if not, what else happened to %s then",
			c.Old, who, v, c.Fresh),
	}, true
}

// refusedMost is who was refused most often by the authority of the cell with a credential in [from, to], and how often.
func refusedMost(c *cell.Cell, credential string, from, to history.Offset) (who string, most int64) {
	for _, key := range c.JudgedCells() {
		if key.Validator == c.Validator.Name && key.Credential == credential {
			if n := c.View.Sum(key, from, to).AuthFailures; n > most {
				who, most = key.Presenter, n
			}
		}
	}
	return who, most
}

// LockedUnsaidAfter is lockedUnsaid, of what rehearse itself is refused after the revoke.
func LockedUnsaidAfter(c *cell.Cell) (cell.Explanation, bool) {
	for _, r := range c.Replies() { // since when, of all that were refused it
		if done, _ := c.Done(keyring.Revoke, c.Old); r.Credential == c.Fresh && !r.Taken && r.At > done {
			c.First = min(c.First, r.At)
		}
	}
	told, matches := LockedUnsaid(c)
	told.Why, told.CausedBy = ": "+told.Why, ""
	return told, matches
}
