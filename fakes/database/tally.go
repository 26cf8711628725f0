package database

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// login is one connection to a server, of which it is decided once.
type login struct {
	presenter, identifier string
	user, remote          string // under which it logs in, and the address that it came from
	began                 time.Time
	own                   bool // the harness's own, or told of by a pooler: neither counted nor told
	decided, denied       atomic.Bool
	in                    atomic.Bool  // it was let in
	used                  atomic.Int64 // when its client last used it, nanoseconds after began
	left, ended           atomic.Bool  // its client left, or the server ended it: which came first
	closed                time.Time    // zero: it is open; guarded by the tally
}

// newLogin reads the application name NAME/TAG, as consumers give it: a server
// that has one user with several passwords cannot say which was presented.
func newLogin(user, application string) *login {
	l := &login{presenter: application, identifier: user, user: user, began: time.Now()}
	if name, tag, found := strings.Cut(application, "/"); found {
		l.presenter, l.identifier = name, tag
	}
	l.own = l.presenter == contract.DatabaseAdmin || l.identifier == contract.DatabasePooled
	return l
}

// decide reports whether nothing was decided before.
func (l *login) decide() bool { return !l.decided.Swap(true) }

// use notes that its client uses it now.
func (l *login) use() { l.used.Store(int64(time.Since(l.began))) }

// stillTold is how long after a connection is closed the server's log may still
// tell of it: that a session was ended is read when its socket is gone already.
const stillTold = 5 * time.Second

// tally is what became of the connections to a server.
type tally struct {
	accepted, refused, unsaid atomic.Int64

	mu   sync.Mutex
	open map[string]*login // by port, and those closed a short time ago
	// longest is, by presenter, the longest that a session was used for.
	longest map[string]time.Duration
}

func newTally() *tally {
	return &tally{open: map[string]*login{}, longest: map[string]time.Duration{}}
}

// longer reports whether a session was used for longer than any of its presenter before.
func (t *tally) longer(l *login, life time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if life <= t.longest[l.presenter] {
		return false
	}
	t.longest[l.presenter] = life
	return true
}

func (t *tally) count(l *login, counter *atomic.Int64) {
	if !l.own {
		counter.Add(1)
	}
}

func (t *tally) add(port string, l *login) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open[port] = l
}

func (t *tally) find(port string) *login {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.open[port]
}

// close notes that a connection is closed, and drops those that were some time
// ago: an undecided one stays, until the server's log tells of it.
func (t *tally) close(l *login) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	l.closed = now
	for port, other := range t.open {
		if other.decided.Load() && !other.closed.IsZero() && now.Sub(other.closed) > stillTold {
			delete(t.open, port)
		}
	}
}

// settle waits until every login is decided, for so long at most.
func (t *tally) settle(within time.Duration) {
	for deadline := time.Now().Add(within); time.Now().Before(deadline) && t.waiting(); {
		time.Sleep(10 * time.Millisecond)
	}
}

func (t *tally) waiting() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.open {
		if !l.decided.Load() {
			return true
		}
	}
	return false
}

func (t *tally) counters() map[string]int64 {
	accepted, refused, unsaid := t.accepted.Load(), t.refused.Load(), t.unsaid.Load()
	return map[string]int64{"served": accepted + refused + unsaid, "accepted": accepted, "refused": refused}
}
