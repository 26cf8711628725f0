//go:build !linux

package leftover

import (
	"errors"
	"strconv"

	"github.com/shirou/gopsutil/v4/process"
)

// startOf is the start in milliseconds since 1970, as the system keeps it.
func startOf(pid int) (string, error) {
	p, err := process.NewProcess(int32(pid))
	if errors.Is(err, process.ErrorProcessNotRunning) {
		return "", errGone
	}
	if err != nil {
		return "", err
	}
	start, err := p.CreateTime()
	if err != nil {
		return "", err
	}
	return strconv.FormatInt(start, 10), nil
}

// ofThisBoot is always so: a start is a time here, which no other machine's
// process has with the same number but by chance.
func (i Identity) ofThisBoot() bool { return true }

// machine has no number of its own here.
func machine() string { return "none" }

// processSpace is the machine: there are no process namespaces here.
func processSpace() string { return "machine" }
