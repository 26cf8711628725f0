package process

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// inheritsSockets says whether a child can be given a listening socket.
const inheritsSockets = false

// isolate keeps a Ctrl-C at the terminal from a child.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// There are no such signals here.
func (*life) askToEnd() error        { return errors.ErrUnsupported }
func (*life) freeze() error          { return errors.ErrUnsupported }
func (*life) thaw() error            { return errors.ErrUnsupported }
func killGroup(int, time.Duration)   {} // there are none
func send(*os.Process, string) error { return errors.ErrUnsupported }
