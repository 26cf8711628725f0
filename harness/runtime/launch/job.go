package launch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/world"
)

// Exit is how a life ended by itself: the exit status of its process.
type Exit int

// Error is the status in words.
func (e Exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// AwaitEnd waits until what was started has come to its end, at most so long, and says how it
// ended where that was not with exit status 0.
func (l *Life) AwaitEnd(ctx context.Context, within time.Duration) error {
	if err := l.Wait(ctx, within); err != nil {
		return err
	}
	if exit, ok := errors.AsType[Exit](l.exit); ok && exit == 0 {
		return nil
	}
	return l.exit
}

// Initialize runs what is to run before a service starts, one after the other. The error says
// which of them failed.
func Initialize(ctx context.Context, spec world.Spec, run func(ctx context.Context, n int, job world.Spec) error) error {
	for n := range spec.Init {
		if err := run(ctx, n, spec.Job(n)); err != nil {
			return fmt.Errorf("init[%d], which is to run before it: %w", n, err)
		}
	}
	return nil
}
