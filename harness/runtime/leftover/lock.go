package leftover

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// lockRetry is how often a lock that somebody else has is tried again.
const lockRetry = 50 * time.Millisecond

// lock waits until no other sweep of this user's is under way in dir. One that
// dies holds it no longer.
func lock(ctx context.Context, dir string) (unlock func() error, err error) {
	file := flock.New(filepath.Join(dir, ".lock"), flock.SetPermissions(0o600))
	if _, err := file.TryLockContext(ctx, lockRetry); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file.Close, nil
}
