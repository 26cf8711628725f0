package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// dropSegments removes the shared memory of a PostgreSQL server whose data are
// in a folder, or right below it, and that was killed: nothing else does when
// the folder goes. Its lock file has the segment's number in its seventh line,
// after the key ("Lock file format" in PostgreSQL's miscinit.c).
func dropSegments(folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*", "postmaster.pid"))
	if err != nil {
		return err
	}
	for _, file := range append(files, filepath.Join(folder, "postmaster.pid")) {
		info, err := os.Lstat(file)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		text, err := os.ReadFile(file)
		lines := strings.Split(string(text), "\n")
		if err != nil || len(lines) < 7 {
			continue
		}
		words := strings.Fields(lines[6])
		if len(words) != 2 {
			continue
		}
		segment, err := strconv.Atoi(words[1])
		if err != nil {
			continue
		}
		if err := dropSegment(segment); err != nil {
			return fmt.Errorf("remove the shared memory of the server in %s: %w", folder, err)
		}
	}
	return nil
}

// dropSegment removes a segment that nobody uses.
func dropSegment(id int) error {
	var is unix.SysvShmDesc
	if _, err := unix.SysvShmCtl(id, unix.IPC_STAT, &is); err != nil || is.Nattch > 0 {
		return nil // it is gone, another's, or in use
	}
	_, err := unix.SysvShmCtl(id, unix.IPC_RMID, nil)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EIDRM) {
		return nil
	}
	return err
}
