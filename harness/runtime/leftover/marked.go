package leftover

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// Mark is the value of peer.MarkVariable of a service of the run. A service "" stands
// for all of them.
func (r *Record) Mark(service string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.s.mark(service)
}

// mark names the harness too: a run's name could be used again.
func (s state) mark(service string) string { return s.Run + "@" + s.Harness.String() + "/" + service }

// markedPasses bounds how often it is looked for what marked processes have
// started while they were killed.
const markedPasses = 20

// Signal sends a signal to every process with a mark, and to those without any that it
// has started, but to none that spare names.
// What has ended meanwhile is no error.
func Signal(mark string, signal os.Signal, spare func(pid int) bool) error {
	var errs []error
	for _, who := range marked(mark) {
		if spare(who.PID) {
			continue
		}
		if err := toMarked(who, signal); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// EndMarked kills every process with a mark, and those without any that it has started,
// and returns when they are gone. They have as long as patience to end by themselves. Where a system does
// not tell the environment of processes there are none to be found.
func EndMarked(ctx context.Context, mark string, patience time.Duration) (ended []Identity, err error) {
	for began := time.Now(); time.Since(began) < patience && len(marked(mark)) > 0; {
		select {
		case <-ctx.Done():
			patience = 0
		case <-time.After(10 * time.Millisecond):
		}
	}
	for range markedPasses {
		found := marked(mark)
		if len(found) == 0 {
			return ended, nil
		}
		for _, who := range found {
			if err := toMarked(who, os.Kill); err != nil {
				return ended, err
			}
		}
		for _, who := range found {
			if err := awaitGone(ctx, who); err != nil {
				return ended, err
			}
		}
		ended = append(ended, found...)
	}
	return ended, fmt.Errorf("end the processes of %s: they start more of themselves than can be ended", mark)
}

// toMarked sends a signal to a process that is still the one that was found.
func toMarked(who Identity, signal os.Signal) error {
	// Found first and compared then: on Linux the handle keeps meaning this
	// process (pidfd) even if its number is given to another meanwhile.
	process, err := os.FindProcess(who.PID)
	if err != nil {
		return nil
	}
	defer process.Release() //nolint:errcheck // nothing to do about it
	if !who.Alive() {
		return nil
	}
	if err := process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal process %d: %w", who.PID, err)
	}
	return nil
}
