package leftover

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// Places of fields in what statOf returns (proc_pid_stat(5)): the first after the name
// is the third.
const statState, statParent, statStart = 0, 1, 19

// statOf are the fields of /proc/PID/stat after the name, which is in brackets and may
// hold anything.
func statOf(pid int) ([]string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	end := strings.LastIndexByte(string(stat), ')')
	fields := strings.Fields(string(stat[end+1:]))
	if end < 0 || len(fields) <= statStart {
		return nil, fmt.Errorf("read /proc/%d/stat: got %d fields after the name, want more than %d", pid, len(fields), statStart)
	}
	return fields, nil
}

// startOf is the boot's identifier and the 22nd field of /proc/PID/stat: the
// start in ticks since the boot (proc_pid_stat(5)). A zombie has ended: nobody
// but its parent can tell it from none.
func startOf(pid int) (string, error) {
	fields, err := statOf(pid)
	if err != nil {
		return "", err
	}
	if fields[statState] == "Z" || fields[statState] == "X" {
		return "", errGone
	}
	boot, err := bootID()
	if err != nil {
		return "", err
	}
	return boot + "-" + fields[statStart], nil
}

// bootID tells one life of a machine from another, and from those of other machines.
func bootID() (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return string(boot[:min(8, len(boot))]), err
}

// ofThisBoot reports whether a process began in this life of this machine.
// Where that cannot be found out it did.
func (i Identity) ofThisBoot() bool {
	boot, err := bootID()
	return err != nil || strings.HasPrefix(i.Start, boot+"-")
}

// machine tells this machine from others of the same name (machine-id(5), of
// which a hash may be shown); images of containers mostly have none.
func machine() string {
	id, err := os.ReadFile("/etc/machine-id")
	if err != nil || len(id) == 0 {
		return "none"
	}
	sum := sha256.Sum256(append([]byte("rehearse:"), id...))
	return hex.EncodeToString(sum[:4])
}

// processSpace is the process namespace.
func processSpace() string {
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return "unknown"
	}
	return space
}
