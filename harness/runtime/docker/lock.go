package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// lockRetry is how often a lock that somebody else has is tried again.
const lockRetry = 50 * time.Millisecond

// lock takes the lock of a file, which it makes where there is none: at any
// moment one holder has it, in this process or another of this user's, and one
// that dies holds it no longer. It waits until ctx ends, and says so once by
// waiting where somebody else has it.
func lock(ctx context.Context, path string, waiting func()) (unlock func() error, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	file := flock.New(path)
	locked, err := file.TryLock()
	if err == nil && !locked {
		waiting()
		_, err = file.TryLockContext(ctx, lockRetry) // without an error it has it
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, errors.Join(err, file.Close()))
	}
	return file.Close, nil
}
