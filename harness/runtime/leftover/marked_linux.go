package leftover

import (
	"os"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/peer"
)

// marked are the processes with a mark, but for this one. One whose environment
// cannot be read is another user's, or has ended.
func marked(mark string) (found []Identity) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() || !hasMark(pid, mark) {
			continue
		}
		if who, err := Identify(pid); err == nil {
			found = append(found, who)
		}
	}
	return found
}

// hasMark reports whether a process has a mark in its environment.
func hasMark(pid int, mark string) bool {
	value, _ := peer.MarkOf(pid)
	return value == mark || strings.HasSuffix(mark, "/") && strings.HasPrefix(value, mark)
}
