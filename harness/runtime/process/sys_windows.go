package process

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// inheritsSockets says whether a child can be given a listening socket.
const inheritsSockets = false

// isolate keeps a Ctrl-C at the terminal from a child.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// There are no such signals here.
func askToEnd(*os.Process) error     { return errors.ErrUnsupported }
func freeze(*os.Process) error       { return errors.ErrUnsupported }
func thaw(*os.Process) error         { return errors.ErrUnsupported }
func send(*os.Process, string) error { return errors.ErrUnsupported }
