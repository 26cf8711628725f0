package process

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// awaitFrozen waits until a child has stopped with all its threads, or ended.
// It leaves the child's state to be waited for by its owner (WNOWAIT, waitid(2)).
func awaitFrozen(pid int) error {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		switch {
		case err == nil, errors.Is(err, unix.ECHILD): // it has ended, and was waited for
			return nil
		case !errors.Is(err, unix.EINTR):
			return fmt.Errorf("wait until process %d stands still: %w", pid, err)
		}
	}
}
