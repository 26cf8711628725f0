package database

import (
	"os"
	"os/exec"
	"syscall"
)

// endWithParent has a child end in some way when the thread that started it is
// gone: when this process was killed, and could not do so itself.
func endWithParent(cmd *exec.Cmd, by os.Signal) {
	if signal, ok := by.(syscall.Signal); ok && cmd.SysProcAttr != nil {
		cmd.SysProcAttr.Pdeathsig = signal
	}
}
