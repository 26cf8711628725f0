package peer

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// MarkOf is the mark of a process; known is false where its environment cannot be read, or was written
// over by the process itself, as servers do that show what they are at in the list of processes.
func MarkOf(pid int) (mark string, known bool) {
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

// processes are the numbers of all processes that this one sees.
func processes() (pids []int) {
	folder, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer folder.Close()
	names, _ := folder.Readdirnames(-1) // what could be read
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// socketOf is the end of a connection between two ports of this machine that the first port is, as a link
// in /proc/PID/fd names it (proc_pid_fd(5)); "" where there is none.
func socketOf(port, other uint16) string {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} { // proc_pid_net(5)
		if inode := inodeOf(table, fmt.Sprintf(":%04X", port), fmt.Sprintf(":%04X", other)); inode != "" {
			return "socket:[" + inode + "]"
		}
	}
	return ""
}

// inodeOf is that of the line of a table whose addresses end with these ports; "0" is that of a connection
// which nobody holds any more.
func inodeOf(table, port, other string) string {
	file, err := os.Open(table)
	if err != nil {
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		const local, remote, inode = 1, 2, 9
		if len(fields) > inode && strings.HasSuffix(fields[local], port) && strings.HasSuffix(fields[remote], other) && fields[inode] != "0" {
			return fields[inode]
		}
	}
	return ""
}

// holds reports whether a process has a socket open.
func holds(pid int, socket string) bool {
	path := fmt.Sprintf("/proc/%d/fd", pid)
	folder, err := os.Open(path)
	if err != nil {
		return false
	}
	defer folder.Close()
	names, _ := folder.Readdirnames(-1)
	for _, name := range names {
		if to, err := os.Readlink(path + "/" + name); err == nil && to == socket {
			return true
		}
	}
	return false
}
