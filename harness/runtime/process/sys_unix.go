//go:build unix

package process

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// inheritsSockets says whether a child can be given a listening socket.
const inheritsSockets = true

// isolate puts a child into a process group of its own, so that a Ctrl-C at
// the terminal reaches this process alone, which ends the others in order.
func isolate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func askToEnd(p *os.Process) error { return p.Signal(syscall.SIGTERM) }
func thaw(p *os.Process) error     { return p.Signal(syscall.SIGCONT) }

// freeze returns when the process stands still, where the system can tell: until
// every thread has seen the signal, a last answer may still get out.
func freeze(p *os.Process) error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	return awaitFrozen(p.Pid)
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
