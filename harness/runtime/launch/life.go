package launch

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// The stages of a life. Who moves it on from up decides whether its end is news.
const (
	starting = iota
	up
	stopping
	ended
)

// Life is one life of a service, from its start until it is known to have
// ended. Its methods may be called concurrently; one party calls End, once.
type Life struct {
	stage  atomic.Int32
	killed atomic.Bool
	done   chan struct{}
	exit   error
}

// NewLife is one that has just begun.
func NewLife() *Life { return &Life{done: make(chan struct{})} }

// AwaitReady waits until the service is ready, as Ready does, and says how it
// ended if it did so first. From then on its end is news.
func (l *Life) AwaitReady(ctx context.Context, base, path string, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := Ready(ctx, base, path, l.done)
	if err == nil && !l.stage.CompareAndSwap(starting, up) {
		err = ErrEnded
	}
	if errors.Is(err, ErrEnded) {
		<-l.done
		return fmt.Errorf("%w: %w", err, l.exit)
	}
	return err
}

// Stopping says that it is about to be ended in order: that will be no news.
func (l *Life) Stopping() { l.stage.CompareAndSwap(up, stopping) }

// Killing says that it is about to be killed on request.
func (l *Life) Killing() { l.killed.Store(true) }

// End says how it ended, and tells so if that is news.
func (l *Life) End(exit error, tell func(error)) {
	if l.killed.Load() {
		exit = fmt.Errorf("%w: %w", ErrKilled, exit)
	}
	l.exit = exit
	if l.stage.Swap(ended) == up {
		tell(exit)
	}
	close(l.done)
}

// Done is closed after End.
func (l *Life) Done() <-chan struct{} { return l.done }

// Over says whether it has ended.
func (l *Life) Over() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// Wait waits for the end, at most so long.
func (l *Life) Wait(ctx context.Context, atMost time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	select {
	case <-l.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for its end: %w", ctx.Err())
	}
}
