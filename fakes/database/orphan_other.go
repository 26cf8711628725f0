//go:build unix && !linux

package database

import "syscall"

// endWithParent does nothing: the system has no means for it.
func endWithParent(*syscall.SysProcAttr) {}
