package leftover

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// ErrNotOurs is in the chain of the error where a folder or a file, of which
// this user's runs make use, is another's or can be changed by others: what it
// says is not believed, and nothing is done.
var ErrNotOurs = errors.New("it could be another user's doing")

// maxRecord bounds the entry of a run, in bytes.
const maxRecord = 1 << 20

// CacheDir is the folder of what runs of this user keep beside their own
// folders: rehearse in the user's cache folder (os.UserCacheDir). For a user
// without a home, or with one that is another's, it is rehearse-UID in the
// temporary folder.
func CacheDir() string {
	if base, err := os.UserCacheDir(); err == nil && trusted(base) == nil {
		return filepath.Join(base, "rehearse")
	}
	return filepath.Join(os.TempDir(), "rehearse-"+strconv.Itoa(os.Getuid()))
}

// MakePrivate makes a folder for this user alone, or finds that it is one. One
// that another could have put there is ErrNotOurs.
func MakePrivate(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := trusted(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if err := mine(info); err != nil {
		return fmt.Errorf("use the folder %s: %w (remove it, or set XDG_CACHE_HOME to a folder of your own)", dir, err)
	}
	return nil
}

// trusted refuses a folder that another user can put something into, or in the
// place of: it and all above belong to this user or to root, and others can
// write at most where only owners may rename (the sticky bit of /tmp). What is
// not there yet is what is above it.
func trusted(dir string) error {
	for {
		info, err := os.Lstat(dir)
		if err == nil {
			err = harmless(info)
		}
		if err == nil && info.Mode()&os.ModeSymlink != 0 {
			var to string
			if to, err = filepath.EvalSymlinks(dir); err == nil {
				err = trusted(to)
			}
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("use what is below %s: %w", dir, err)
		}
		above := filepath.Dir(dir)
		if above == dir {
			return nil
		}
		dir = above
	}
}

// readOwn reads the entry of a run: a regular file of this user's, which nobody
// else can write.
func readOwn(path string) ([]byte, error) {
	before, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() { // before it is opened: a pipe would wait for a writer
		return nil, fmt.Errorf("%s is no regular file: %w", path, ErrNotOurs)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !os.SameFile(before, info) {
		return nil, fmt.Errorf("%s was replaced while it was read: %w", path, ErrNotOurs)
	}
	if err := mine(info); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if info.Size() > maxRecord {
		return nil, fmt.Errorf("read %s: it has %d bytes, more than any entry: %w", path, info.Size(), ErrNotOurs)
	}
	return io.ReadAll(io.LimitReader(file, maxRecord))
}
