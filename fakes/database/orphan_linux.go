package database

import (
	"syscall"
)

// endWithParent has a child end in order when the thread that started it is
// gone: when this process was killed, and could not do so itself.
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGINT }
