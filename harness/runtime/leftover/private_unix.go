//go:build unix

package leftover

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// mine refuses what is not this user's, or can be written by others.
func mine(info fs.FileInfo) error {
	owner, known := info.Sys().(*syscall.Stat_t)
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("it is a symbolic link: %w", ErrNotOurs)
	case !known || int(owner.Uid) != os.Getuid():
		return fmt.Errorf("it belongs to user %d: %w", owner.Uid, ErrNotOurs)
	case info.Mode().Perm()&0o022 != 0 && !info.IsDir(), info.Mode().Perm()&0o002 != 0:
		return fmt.Errorf("others may write to it (%s): %w", info.Mode(), ErrNotOurs)
	}
	return nil
}

// harmless refuses a folder in which another user could put something else in
// the place of what is there.
func harmless(info fs.FileInfo) error {
	owner, known := info.Sys().(*syscall.Stat_t)
	switch {
	case !known || owner.Uid != 0 && int(owner.Uid) != os.Getuid():
		return fmt.Errorf("it belongs to user %d: %w", owner.Uid, ErrNotOurs)
	case info.Mode()&fs.ModeSymlink != 0: // its own mode says nothing
		return nil
	case info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0:
		return fmt.Errorf("others may write to it (%s): %w", info.Mode(), ErrNotOurs)
	}
	return nil
}
