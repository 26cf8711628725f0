package leftover

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Identity tells a process from any other that gets its number later.
type Identity struct {
	PID int `json:"pid"`
	// Start is when it began, in words that only this machine understands.
	Start string `json:"start"`
}

// errGone is what startOf returns for a process that does not exist or has ended.
var errGone = errors.New("no such process")

// Identify finds out who a running process is.
func Identify(pid int) (Identity, error) {
	start, err := startOf(pid)
	if err != nil {
		return Identity{}, fmt.Errorf("identify process %d: %w", pid, err)
	}
	return Identity{PID: pid, Start: start}, nil
}

// Alive says whether this very process still runs. Where that cannot be found
// out it answers yes: what belongs to a live run must not be touched.
func (i Identity) Alive() bool {
	start, err := startOf(i.PID)
	if errors.Is(err, errGone) {
		return false
	}
	return err != nil || start == i.Start
}

// String is "PID:START", as ParseIdentity reads it.
func (i Identity) String() string { return strconv.Itoa(i.PID) + ":" + i.Start }

// ParseIdentity reads what String wrote.
func ParseIdentity(s string) (Identity, error) {
	pid, start, _ := strings.Cut(s, ":")
	n, err := strconv.Atoi(pid)
	if err != nil || n <= 0 || start == "" {
		return Identity{}, fmt.Errorf("parse identity %q: want PID:START", s)
	}
	return Identity{PID: n, Start: start}, nil
}

// Host names the space in which a process number means something: the machine,
// the process namespace of a container, and the user, who may not see the
// processes of others. Only leftovers of the same host can be judged dead.
func Host() string {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	return fmt.Sprintf("%s/%s/%s/%d", name, machine(), processSpace(), os.Getuid())
}
