package fakes

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// login is one connection to a server, of which it is decided once.
type login struct {
	presenter, identifier string
	began                 time.Time
	own                   bool // the harness's own: neither counted nor told
	decided               atomic.Bool
}

// newLogin reads the application name NAME/TAG, as consumers give it: a server
// that has one user with several passwords cannot say which was presented.
func newLogin(user, application string) *login {
	l := &login{presenter: application, identifier: user, began: time.Now()}
	if name, tag, found := strings.Cut(application, "/"); found {
		l.presenter, l.identifier = name, tag
	}
	l.own = l.presenter == DatabaseAdmin
	return l
}

// decide reports whether nothing was decided before.
func (l *login) decide() bool { return !l.decided.Swap(true) }

// tally is what became of the connections to a server.
type tally struct {
	accepted, refused, unsaid atomic.Int64

	mu   sync.Mutex
	open map[string]*login // by port
}

func newTally() *tally { return &tally{open: map[string]*login{}} }

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

// forget drops a connection that is closed, once its login is decided: until
// then the server's log may still tell of it.
func (t *tally) forget(port string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.open[port]; l != nil && l.decided.Load() {
		delete(t.open, port)
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
