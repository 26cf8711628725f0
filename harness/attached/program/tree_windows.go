package program

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// What a tree is sent: here it can only be killed.
const (
	ask = iota
	kill
)

// isolate keeps a Ctrl-C at the terminal from a program.
func isolate(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// tree is a program with all that it has started.
type tree struct {
	leader int
	mark   string
}

// signal kills the program with what it has started, as the system knows it.
func (t tree) signal(what int) {
	if what == kill {
		// That nobody is there any more is what is wanted.
		_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(t.leader)).Run()
	}
}

// alive reports whether the program runs.
func (t tree) alive() bool {
	p, err := os.FindProcess(t.leader)
	if err != nil {
		return false
	}
	defer func() { _ = p.Release() }()
	return p.Signal(syscall.Signal(0)) == nil
}
