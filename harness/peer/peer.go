// Package peer tells which service of a run is at the other end of a connection on this machine. Every
// process that a run starts has the run's mark in its environment, and so has what such a process starts:
// a service that says nothing of itself is known by the process that holds its end of the connection.
package peer

import (
	"net/netip"
	"os"
	"strings"
	"sync"
)

// MarkVariable is the environment variable that every process of a run has: those that it started, and
// what they started, wherever that has gone. Its value is RUN@HARNESS/SERVICE.
const MarkVariable = "REHEARSE_MARK"

// Finder finds services of the run that this process belongs to. It is safe for concurrent use.
type Finder struct {
	run string // what the mark of every process of the run begins with

	mu    sync.Mutex
	known map[int]string // services by the processes that were found to be theirs
}

// NewFinder is nil, which finds nobody, where this process belongs to no run.
func NewFinder() *Finder {
	mark := os.Getenv(MarkVariable)
	end := strings.LastIndex(mark, "/")
	if end < 0 {
		return nil
	}
	return &Finder{run: mark[:end+1], known: map[int]string{}}
}

// At is the service whose process holds the other end of a TCP connection of this machine, of which local
// is this end. It is "" where the connection is over, does not come from this machine or from a process of
// the run, and where the system does not tell (anything but Linux).
func (f *Finder) At(local, remote netip.AddrPort) (service string) {
	if f == nil || !remote.Addr().Unmap().IsLoopback() {
		return ""
	}
	socket := socketOf(remote.Port(), local.Port())
	if socket == "" {
		return ""
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if service, found := f.holder(socket); found {
		return service
	}
	f.known = map[int]string{} // processes come and go: all are looked at anew
	for _, pid := range processes() {
		mark, _ := MarkOf(pid)
		service, found := strings.CutPrefix(mark, f.run)
		if !found || pid == os.Getpid() {
			continue
		}
		f.known[pid] = service
	}
	service, _ = f.holder(socket)
	return service
}

// holder is the service of a known process that has a socket open. f.mu is held.
func (f *Finder) holder(socket string) (service string, found bool) {
	for pid, service := range f.known {
		if holds(pid, socket) {
			return service, true
		}
	}
	return "", false
}
