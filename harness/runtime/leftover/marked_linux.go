package leftover

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
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
	value, _ := markOf(pid)
	return value == mark || strings.HasSuffix(mark, "/") && strings.HasPrefix(value, mark)
}

// markOf is the mark of a process; known is false where its environment cannot
// be read, or was written over by the process itself, as servers do that show
// what they are at in the list of processes.
func markOf(pid int) (mark string, known bool) {
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return "", false
	}
	for variable := range bytes.SplitSeq(environment, []byte{0}) {
		name, value, found := bytes.Cut(variable, []byte("="))
		if found && string(name) == MarkVariable {
			return string(value), true
		}
		known = known || found && string(name) == "PATH"
	}
	return "", known
}
