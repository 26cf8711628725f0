package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
)

// cleanUpTimeout bounds each part of the clean-up.
const cleanUpTimeout = 60 * time.Second

// ErrCleanUp is in the chain of Run's error where something of the run may be left.
var ErrCleanUp = errors.New("could not clean up")

// cleanUp is one thing to be done at the end, whatever happened.
type cleanUp struct {
	what string
	do   func(context.Context) error
}

// cleanUp arranges something to be done at the end: what comes last is done
// first. It is called before whatever it is for is tried.
func (r *run) cleanUp(what string, do func(context.Context) error) {
	r.cleanUps = append(r.cleanUps, cleanUp{what, do})
}

// endServices arranges the end of all services, and then the removal of what
// their servers wrote: one that still runs must not lose what it writes to.
func (r *run) endServices() {
	r.cleanUp("remove what servers wrote", r.removeWritten)
	r.cleanUp("stop services", r.runtime.Stop)
}

// removeWritten removes what a server left that was killed; one that ends in
// order does so itself.
func (r *run) removeWritten(context.Context) error {
	var errs []error
	for _, folder := range r.written {
		errs = append(errs, leftover.RemoveServed(folder))
	}
	return errors.Join(errs...)
}

// cleanAll cleans up, each part under a context of its own. Only where all is
// gone is the record of the run removed too, so that a later one tries again.
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
