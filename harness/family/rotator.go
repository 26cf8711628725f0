package family

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// rotator is the one who takes the steps: it can be made to die in the middle of
// one, and another be started in its place. Its zero value lives.
type rotator struct {
	mu sync.Mutex
	// started is closed when another is; nil: nobody is to die.
	started chan struct{}
}

// errRotatorDied ends a step that was begun, done at the authority, and not published.
var errRotatorDied = errors.New("the rotator died")

// Die has the rotator die in the next step: after that was written down as begun
// and done at the authority, and before it is published. What it had in memory is
// lost. Nobody takes a step from then on until Revive.
func (s *steps) Die() {
	s.rotator.mu.Lock()
	defer s.rotator.mu.Unlock()
	if s.rotator.started == nil {
		s.rotator.started = make(chan struct{})
	}
}

// Revive starts another rotator, which knows what the store knows: it takes up
// the step that the keyring has under way. Where nobody has died it does nothing.
func (s *steps) Revive() {
	s.rotator.mu.Lock()
	defer s.rotator.mu.Unlock()
	if s.rotator.started != nil {
		close(s.rotator.started)
		s.rotator.started = nil
	}
}

// die ends the rotator where it is to die; s.mu is held. The values of what it
// forgets are kept for the scan for leaks.
func (s *steps) die() error {
	if s.rotator.next() == nil {
		return nil
	}
	for _, c := range s.credentials {
		s.forgotten = append(s.forgotten, c.values...)
	}
	clear(s.credentials)
	s.ours = nil
	return errRotatorDied
}

// next is closed when another rotator is started; nil where one lives.
func (r *rotator) next() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.started
}

// await returns when a rotator lives.
func (r *rotator) await(ctx context.Context) error {
	next := r.next()
	if next == nil {
		return nil
	}
	select {
	case <-next:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for another rotator: %w", ctx.Err())
	}
}
