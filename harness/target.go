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

	"github.com/rehearse-dev/rehearse/harness/kubernetes"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// ErrTargetInUse is in the chain of Run's error where another rehearsal of the same
// system is under way on this machine.
var ErrTargetInUse = errors.New("another rehearsal of it is under way")

// targetRetry is how often a system that is in use is tried again.
const targetRetry = 200 * time.Millisecond

// leaseRetry is the same for one in a cluster, whose API server is asked.
const leaseRetry = 2 * time.Second

// targets are what a rehearsal locks: a compose project, or the hosts and ports of its addresses.
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

// holdLeases takes the Leases of an attached system's workloads, which everybody who reaches the
// cluster respects. It waits as lockTargets does.
func (r *run) holdLeases(ctx context.Context) error {
	cluster := r.attachment.cluster
	if cluster == nil {
		return nil
	}
	r.cleanUp("let go of the Leases", cluster.Release)
	host, err := os.Hostname()
	if err != nil {
		host = "a machine that knows no name of itself"
	}
	by := fmt.Sprintf("process %d on %s", os.Getpid(), host)
	waiting, cancel := context.WithTimeout(ctx, r.o.Lock)
	defer cancel()
	for told := false; ; told = true {
		err := cluster.Hold(ctx, by)
		if !errors.Is(err, kubernetes.ErrHeld) {
			return err
		}
		if err := cluster.Release(ctx); err != nil {
			return err
		}
		if waiting.Err() != nil {
			return fmt.Errorf("%w: %w (--lock 10m waits for its end)", ErrTargetInUse, err)
		}
		if !told {
			r.o.Progress(fmt.Sprintf("%v: waiting up to %s for its end", err, r.o.Lock))
		}
		select {
		case <-time.After(leaseRetry):
		case <-waiting.Done():
		}
	}
}

// lockTargets locks the attached system against other runs of this user on this machine, waits for
// another rehearsal as long as the options say, and unlocks it when the run ends.
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
