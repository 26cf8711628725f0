package family

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// rotator takes the steps. It can be made to die in the middle of one, and be replaced. The zero value
// lives.
type rotator struct {
	mu sync.Mutex
	// started is closed when another rotator starts; nil: none is to die.
	started chan struct{}
}

// errRotatorDied ends a step that was taken at the authority and not published.
var errRotatorDied = errors.New("the rotator died")

// Die makes the rotator die in the next step: after that is recorded as begun and taken at the
// authority, and before it is published. Its memory is lost. Until Revive nobody takes a step.
func (s *steps) Die() {
	s.rotator.mu.Lock()
	defer s.rotator.mu.Unlock()
	if s.rotator.started == nil {
		s.rotator.started = make(chan struct{})
	}
}

// Revive starts another rotator, which knows what the store knows: it takes up the pending step of the
// keyring. Where none has died it does nothing.
func (s *steps) Revive() {
	s.rotator.mu.Lock()
	defer s.rotator.mu.Unlock()
	if s.rotator.started != nil {
		close(s.rotator.started)
		s.rotator.started = nil
	}
}

// die ends the rotator where it is to die; s.mu is held. The forgotten values are kept for the scan for
// leaks.
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
