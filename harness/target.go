package harness

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// ErrTargetInUse is in the chain of Run's error where another rehearsal of the same
// system is under way on this machine.
var ErrTargetInUse = errors.New("another rehearsal of it is under way")

// targetRetry is how often a system that is in use is tried again.
const targetRetry = 200 * time.Millisecond

// targets are what a rehearsal of a system has for itself: a compose project, or
// the hosts and ports of its addresses.
func targets(a *scenario.Attach) []string {
	var all []string
	if a.Compose != "" {
		all = append(all, "compose project "+a.Compose)
	}
	for _, address := range a.URLs {
		if u, err := url.Parse(address); err == nil {
			all = append(all, u.Host)
		}
	}
	slices.Sort(all) // in one order, so that two never wait for each other
	return slices.Compact(all)
}

// lockTargets takes the system that a plan is attached to for this run alone, of
// all that this user starts on this machine. It waits for another rehearsal to end
// for as long as the options say; what it took it lets go of with the run.
func (r *run) lockTargets(ctx context.Context) error {
	dir := r.o.Runs
	if dir == "" {
		dir = leftover.DefaultDir()
	}
	dir += "-targets"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("lock the system: %w", err)
	}
	waiting, cancel := context.WithTimeout(ctx, r.o.Lock)
	defer cancel()
	for _, target := range targets(r.plan.Rehearsal.Attach) {
		sum := sha256.Sum256([]byte(target))
		file := flock.New(filepath.Join(dir, hex.EncodeToString(sum[:8])+".lock"), flock.SetPermissions(0o600))
		locked, err := file.TryLock()
		if err == nil && !locked && r.o.Lock > 0 {
			r.o.Progress(fmt.Sprintf("another rehearsal of %s is under way: waiting up to %s for its end", target, r.o.Lock))
			if locked, err = file.TryLockContext(waiting, targetRetry); errors.Is(err, context.DeadlineExceeded) {
				locked, err = false, nil
			}
		}
		if err != nil {
			return fmt.Errorf("lock %s: %w", target, errors.Join(err, file.Close()))
		}
		if !locked {
			return errors.Join(fmt.Errorf("attach to %s: %w (--lock 10m waits for its end)", target, ErrTargetInUse), file.Close())
		}
		r.cleanUp("let go of "+target, func(context.Context) error { return file.Close() })
	}
	return nil
}
