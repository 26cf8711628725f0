package source

import (
	"os"

	"golang.org/x/sys/unix"
)

// ofTheKernel reports whether a file is one that the kernel makes up when it is read, as
// those of /proc and /sys.
func ofTheKernel(file *os.File) bool {
	var in unix.Statfs_t
	if err := unix.Fstatfs(int(file.Fd()), &in); err != nil {
		return false
	}
	switch int64(in.Type) {
	case unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.TRACEFS_MAGIC, unix.DEBUGFS_MAGIC:
		return true
	}
	return false
}
