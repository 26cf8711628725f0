package leftover

import (
	"os"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/peer"
)

// marked are the processes with a mark, and those that they have started without
// any, as env -i does; but for this one. One whose environment cannot be read is
// another user's, or has ended.
func marked(mark string) (found []Identity) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var of []int                // those that are found, and not yet looked at
	unmarked := map[int][]int{} // by their parents
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if has, _ := peer.MarkOf(pid); has != "" {
			if isOf(has, mark) {
				of = append(of, pid)
			}
		} else if fields, err := statOf(pid); err == nil {
			if by, err := strconv.Atoi(fields[statParent]); err == nil {
				unmarked[by] = append(unmarked[by], pid)
			}
		}
	}
	for ; len(of) > 0; of = of[1:] {
		if who, err := Identify(of[0]); err == nil {
			found = append(found, who)
			of = append(of, unmarked[of[0]]...)
		}
	}
	return found
}

// isOf reports whether the mark of a process is a mark, or one of all of a run's.
func isOf(value, mark string) bool {
	return value == mark || strings.HasSuffix(mark, "/") && strings.HasPrefix(value, mark)
}
