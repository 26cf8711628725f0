//go:build unix

package program

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// What a tree is sent.
const (
	ask  = syscall.SIGTERM
	kill = syscall.SIGKILL
)

// isolate puts a program into a process group of its own.
func isolate(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// tree is a program with all that it has started.
type tree struct {
	leader int
	mark   string // VARIABLE=VALUE in the environment of each
}

// signal sends a signal to the whole group, and to those that left it.
func (t tree) signal(s syscall.Signal) {
	_ = syscall.Kill(-t.leader, s) // that nobody is there any more is what is wanted
	for _, pid := range t.marked() {
		_ = syscall.Kill(pid, s)
	}
}

// alive reports whether anybody of the tree runs. Where processes can be
// listed, one that ended and that nobody has waited for does not count.
func (t tree) alive() bool {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		return syscall.Kill(-t.leader, 0) == nil
	}
	return len(t.marked()) > 0 || t.grouped()
}

// marked are the processes with the mark of the tree, where the system shows the
// environment of processes: /proc/PID/environ of proc(5).
func (t tree) marked() []int {
	var pids []int
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		environment, err := os.ReadFile(file)
		if err != nil || !slices.ContainsFunc(bytes.Split(environment, []byte{0}), func(v []byte) bool { return string(v) == t.mark }) {
			continue // it ended meanwhile, or is another user's
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// grouped reports whether anybody in the group runs: the third field of
// /proc/PID/stat is the state, the fifth the group. The second, a name in
// parentheses, may hold spaces.
func (t tree) grouped() bool {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) > 2 && string(fields[2]) == strconv.Itoa(t.leader) && string(fields[0]) != "Z" {
			return true
		}
	}
	return false
}
