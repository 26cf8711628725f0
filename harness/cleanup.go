package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/server"
)

// cleanUpTimeout bounds each part of the clean-up.
const cleanUpTimeout = 60 * time.Second

// ErrCleanUp is in the chain of Run's error where something of the run may be left.
var ErrCleanUp = errors.New("could not clean up")

// cleanUp is one part of the clean-up, which runs whatever happened.
type cleanUp struct {
	what string
	do   func(context.Context) error
}

// cleanUp registers a part of the clean-up; the last registered runs first. It is called before the act
// that the part undoes.
func (r *run) cleanUp(what string, do func(context.Context) error) {
	r.cleanUps = append(r.cleanUps, cleanUp{what, do})
}

// endServices registers the end of all services, and then the removal of what their servers wrote: a
// running server must not lose its files.
func (r *run) endServices() {
	r.cleanUp("remove what servers wrote", r.removeWritten)
	r.cleanUp("stop services", r.runtime.Stop)
}

// removeWritten removes the files of servers that were killed; one that ends in order removes its own.
func (r *run) removeWritten(context.Context) error {
	var errs []error
	for _, folder := range r.written {
		errs = append(errs, server.RemoveData(folder))
	}
	return errors.Join(errs...)
}

// cleanAll runs every part, each under a context of its own. The record of the run is removed only
// where nothing is left, so that a later run tries again.
func (r *run) cleanAll(ctx context.Context) error {
	var errs, lost []error
	for _, c := range slices.Backward(r.cleanUps) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
		switch err := c.do(ctx); {
		case errors.Is(err, ErrNotKept):
			lost = append(lost, err)
		case err != nil:
			errs = append(errs, fmt.Errorf("%w: %s: %w", ErrCleanUp, c.what, err))
		}
		cancel()
	}
	r.cleanUps = nil
	if len(errs) == 0 && r.leftovers != nil {
		if err := errors.Join(markFinished(r.folder), r.leftovers.Remove()); err != nil {
			errs = append(errs, fmt.Errorf("%w: %w", ErrCleanUp, err))
		}
	}
	return errors.Join(append(errs, lost...)...)
}
