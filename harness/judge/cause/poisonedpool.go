package cause

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// poisonedPool matches where a pooler refuses everybody since its own login at the database was
// refused: right passwords are refused too until it tries again.
func poisonedPool(c *Cell) (Explanation, bool) {
	lock, locked := c.poisoned(c.Validator.Name)
	if !locked || !c.Limits.InPlace() && lock.Credential != c.Credential {
		return Explanation{}, false // each login has a pool of its own
	}
	// The database refuses a revoked or replaced credential in any case.
	if _, replaced := c.replacedBy(); replaced || c.usedAfter() {
		return Explanation{}, false
	}
	return c.tellPoisoned(c.Validator.Name, lock), true
}

// poisonedBehind matches where a service gave no good answer since the pooler before its database let
// nobody in.
func poisonedBehind(c *Cell) (Explanation, bool) {
	service := c.Validator.Name
	for _, key := range c.JudgedCells() {
		if key.Presenter != service || key.Validator == service {
			continue
		}
		presented := c.View.Sum(key, c.First-evidence.Nearly, c.Last+evidence.Nearly).Attempts > 0
		if lock, locked := c.poisoned(key.Validator); locked && !c.revokedBefore(lock) && (c.Limits.InPlace() || presented && lock.Credential == key.Credential) {
			told := c.tellPoisoned(key.Validator, lock)
			told.Consumer = key.Validator
			return told, true
		}
	}
	return Explanation{}, false
}

// revokedBefore reports whether a revoked credential locked a pooler: the fault is then with whoever
// still logs in with it, and not with the pooler.
func (c *Cell) revokedBefore(lock history.Event) bool {
	revoked, was := c.Begun(string(keyring.Revoke), c.Old)
	return was && lock.Credential == c.Old && lock.At >= revoked-evidence.Nearly && !c.Limits.InPlace()
}

// poisoned is the first lock of a pooler while the cell suffered, or one that was in force when it
// began to.
func (c *Cell) poisoned(pooler string) (lock history.Event, ok bool) {
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
func (c *Cell) tellPoisoned(pooler string, lock history.Event) Explanation {
	until := ""
	if lasted, over := c.lockLasted(lock); over {
		until = fmt.Sprintf(", until %s after", c.Page(lasted))
	}
	told := Explanation{
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
