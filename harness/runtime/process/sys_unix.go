//go:build unix

package process

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
)

// inheritsSockets says whether a child can be given a listening socket.
const inheritsSockets = true

// isolate puts a child into a process group of its own, so that a Ctrl-C at
// the terminal reaches this process alone, which ends the others in order.
func isolate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func (l *life) askToEnd() error { return l.toAll(syscall.SIGTERM) }
func (l *life) thaw() error     { return l.toAll(syscall.SIGCONT) }

// freeze returns when the process stands still, where the system can tell: until
// every thread has seen the signal, a last answer may still get out.
func (l *life) freeze() error {
	if err := l.toAll(syscall.SIGSTOP); err != nil {
		return err
	}
	return awaitFrozen(l.cmd.Process.Pid)
}

// toAll sends a signal to a process and, of a command of a team's own, to what
// that has started: often it is a shell, and what it runs is the service. A
// stand-in passes on itself what its server is to know.
func (l *life) toAll(signal syscall.Signal) error {
	if l.service.spec.Serve != "" {
		return l.cmd.Process.Signal(signal)
	}
	leader := l.cmd.Process.Pid
	if l.Over() {
		return os.ErrProcessDone
	}
	if err := syscall.Kill(-leader, signal); err != nil {
		return err
	}
	return leftover.Signal(l.service.runtime.o.Record.Mark(l.service.spec.Name), signal, func(pid int) bool {
		group, err := syscall.Getpgid(pid)
		return err == nil && group == leader // it had it
	})
}

// killGroup kills what is left of the process group of a process that has ended,
// after a time in which it may end by itself. A group that has members keeps its
// number: it is nobody else's.
func killGroup(leader int, patience time.Duration) {
	for began := time.Now(); time.Since(began) < patience && syscall.Kill(-leader, 0) == nil; {
		time.Sleep(10 * time.Millisecond)
	}
	_ = syscall.Kill(-leader, syscall.SIGKILL) // there is none, mostly
}

// signals are those that can be sent by name.
var signals = map[string]syscall.Signal{"HUP": syscall.SIGHUP, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2}

func send(p *os.Process, name string) error {
	signal, known := signals[name]
	if !known {
		return errors.ErrUnsupported
	}
	return p.Signal(signal)
}
