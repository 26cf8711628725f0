package apikey

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// checkLockout says what is wrong.
func checkLockout(c contract.Lockout) error {
	if c.After < 0 || c.After > 0 && (c.Window <= 0 || c.For <= 0) {
		return fmt.Errorf("check configuration: lockout after %d within %s for %s, want more than 0 of each", c.After, time.Duration(c.Window), time.Duration(c.For))
	}
	return nil
}

// refusedCall is a call that was refused for its key.
type refusedCall struct {
	at             time.Time
	presenter, tag string
}

// lockout counts refusals of an account. It is safe for concurrent use.
type lockout struct {
	config contract.Lockout
	now    func() time.Time

	mu    sync.Mutex
	calls []refusedCall // the last, at most After of them
	until time.Time     // zero: it is open
}

func newLockout(c contract.Lockout, now func() time.Time) *lockout {
	return &lockout{config: c, now: now}
}

// locked reports whether the account is locked now, and whether it is found open
// for the first time after it was.
func (l *lockout) locked() (locked, opened bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.until.IsZero() || l.now().Before(l.until) {
		return !l.until.IsZero(), false
	}
	l.until = time.Time{}
	return false, true
}

// lockedUntil is when a locked account opens; zero for one that is not locked.
func (l *lockout) lockedUntil() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.now().Before(l.until) {
		return time.Time{}
	}
	return l.until.UTC()
}

// locking is what locked an account.
type locking struct {
	calls int           // refused
	took  time.Duration // from the first of them to the last
	// most of them came from a presenter, with the key of a tag
	presenter, tag string
	most           int
}

// refused counts a refusal of a key, and says whether the account is locked by
// it. Those of a locked account are not counted: it begins anew when it is open.
func (l *lockout) refused(presenter, tag string) (locking, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if l.config.After == 0 || !l.until.IsZero() {
		return locking{}, false
	}
	if len(l.calls) == l.config.After {
		l.calls = slices.Delete(l.calls, 0, 1)
	}
	l.calls = append(l.calls, refusedCall{now, presenter, tag})
	took := now.Sub(l.calls[0].at)
	if len(l.calls) < l.config.After || took > time.Duration(l.config.Window) {
		return locking{}, false
	}
	found := locking{calls: len(l.calls), took: took}
	of := map[refusedCall]int{}
	for _, call := range l.calls {
		call.at = time.Time{}
		of[call]++
		if of[call] > found.most {
			found.most, found.presenter, found.tag = of[call], call.presenter, call.tag
		}
	}
	l.calls, l.until = nil, now.Add(time.Duration(l.config.For))
	return found, true
}
