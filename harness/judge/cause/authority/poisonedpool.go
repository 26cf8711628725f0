package authority

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// PoisonedPool matches where a pooler refuses everybody since its own login at the database was
// refused: right passwords are refused too until it tries again.
func PoisonedPool(c *cell.Cell) (cell.Explanation, bool) {
	lock, locked := poisoned(c, c.Validator.Name)
	if !locked || !c.Limits.InPlace() && lock.Credential != c.Credential {
		return cell.Explanation{}, false // each login has a pool of its own
	}
	// The database refuses a revoked or replaced credential in any case.
	if _, replaced := replacedBy(c); replaced || c.UsedAfter() {
		return cell.Explanation{}, false
	}
	return tellPoisoned(c, c.Validator.Name, lock), true
}

// PoisonedBehind matches where a service gave no good answer since the pooler before its database let
// nobody in.
func PoisonedBehind(c *cell.Cell) (cell.Explanation, bool) {
	service := c.Validator.Name
	for _, key := range c.JudgedCells() {
		if key.Presenter != service || key.Validator == service {
			continue
		}
		presented := c.View.Sum(key, c.First-evidence.Nearly, c.Last+evidence.Nearly).Attempts > 0
		if lock, locked := poisoned(c, key.Validator); locked && !revokedBefore(c, lock) && (c.Limits.InPlace() || presented && lock.Credential == key.Credential) {
			told := tellPoisoned(c, key.Validator, lock)
			told.Consumer = key.Validator
			return told, true
		}
	}
	return cell.Explanation{}, false
}

// revokedBefore reports whether a revoked credential locked a pooler: the fault is then with whoever
// still logs in with it, and not with the pooler.
func revokedBefore(c *cell.Cell, lock history.Event) bool {
	revoked, was := c.Begun(keyring.Revoke, c.Old)
	return was && lock.Credential == c.Old && lock.At >= revoked-evidence.Nearly && !c.Limits.InPlace()
}

// poisoned is the first lock of a pooler while the cell suffered, or one that was in force when it
// began to.
func poisoned(c *cell.Cell, pooler string) (lock history.Event, ok bool) {
	for _, event := range c.Events {
		switch {
		case event.Service != pooler || event.At > c.Last+evidence.Nearly:
		case event.Kind == history.KindLocked && event.What == contract.LoginRetry && !ok:
			lock, ok = event, true
		case event.Kind == history.KindUnlocked && event.At < c.First:
			ok = false
		}
	}
	return lock, ok
}

// tellPoisoned tells with which refused login a pooler connected to its database.
func tellPoisoned(c *cell.Cell, pooler string, lock history.Event) cell.Explanation {
	until := ""
	if lasted, over := lockLasted(c.Evidence, lock); over {
		until = fmt.Sprintf(", until %s after", c.Page(lasted))
	}
	told := cell.Explanation{
		Cause: judge.CausePoisonedPool, Consumer: pooler, CausedBy: c.LastStep(lock.At),
		Why: fmt.Sprintf("%s made new connections with the password of %s, with which %s had logged in to it last; its database refuses that, and it then lets nobody in for %s, not even with the right password%s (%s)",
			pooler, lock.Credential, lock.Reader, contract.LoginRetry, until, lock.Detail),
		Fix: fmt.Sprintf("give the database a second login for the new password, so that each has a pool of its own; with one login, have %s close its connections (RECONNECT) and every client log in anew as soon as the password is changed", pooler),
	}
	if lock.Reader == pooler {
		told.Why = fmt.Sprintf("%s made new connections with the password of %s, which is in its file; its database refuses that, and for %s it then lets nobody in%s (%s)",
			pooler, lock.Credential, contract.LoginRetry, until, lock.Detail)
		told.Fix = fmt.Sprintf("write the new password into the file of %s and have it read (RELOAD) as soon as it is changed; better, give the database a second login beside the first", pooler)
	}
	return told
}
