package machine

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// The shares that a Kernel tells of, each of the time between two looks.
const (
	CPU       = "cpu"       // somebody waited for a processor (PSI, "some")
	Memory    = "memory"    // somebody waited for memory
	IO        = "io"        // somebody waited for a disk
	Steal     = "steal"     // of all processors, that a hypervisor gave to others
	Throttled = "throttled" // this process's control group was kept from running by its limit
)

// Kernel reads what Linux tells of the machine: pressure stall information
// (/proc/pressure, 4.20), stolen time (/proc/stat), and the throttling of the
// control group that this process is in (cpu.stat of versions 1 and 2). What is
// not there is not told.
type Kernel struct {
	root fs.FS // of the machine's file system
	at   time.Duration
	seen map[string]time.Duration // counters at the last look
}

// NewKernel reads below the root of a file system, "/" on a machine.
func NewKernel(root fs.FS) *Kernel { return &Kernel{root: root} }

// Look reads the counters at a moment, and returns by how much they have grown
// since the look before, as shares of the time between; nothing the first time.
func (k *Kernel) Look(at time.Duration) map[string]float64 {
	now := map[string]time.Duration{}
	for _, what := range []string{CPU, Memory, IO} {
		if total, ok := k.pressure(what); ok {
			now[what] = total
		}
	}
	if stolen, ok := k.stolen(); ok {
		now[Steal] = stolen / time.Duration(runtime.NumCPU())
	}
	if throttled, ok := k.throttled(); ok {
		now[Throttled] = throttled
	}
	shares := map[string]float64{}
	for what, total := range now {
		if before, ok := k.seen[what]; ok && at > k.at {
			shares[what] = max(0, min(1, float64(total-before)/float64(at-k.at)))
		}
	}
	k.at, k.seen = at, now
	return shares
}

// pressure is for how long somebody waited for something since the start of the machine.
func (k *Kernel) pressure(what string) (time.Duration, bool) {
	text, err := fs.ReadFile(k.root, "proc/pressure/"+what)
	if err != nil {
		return 0, false
	}
	line, _, _ := strings.Cut(string(text), "\n")
	var average [3]float64
	var micros int64
	if _, err := fmt.Sscanf(line, "some avg10=%f avg60=%f avg300=%f total=%d", &average[0], &average[1], &average[2], &micros); err != nil {
		return 0, false
	}
	return time.Duration(micros) * time.Microsecond, true
}

// ticksPerSecond is the unit of /proc/stat: USER_HZ is 100 wherever Go runs.
const ticksPerSecond = 100

// stolen is the time that a hypervisor gave to others, of all processors together.
func (k *Kernel) stolen() (time.Duration, bool) {
	text, err := fs.ReadFile(k.root, "proc/stat")
	if err != nil {
		return 0, false
	}
	line, _, _ := strings.Cut(string(text), "\n")
	figures := strings.Fields(line) // cpu user nice system idle iowait irq softirq steal
	if len(figures) < 9 || figures[0] != "cpu" {
		return 0, false
	}
	ticks, err := strconv.ParseInt(figures[8], 10, 64)
	return time.Duration(ticks) * time.Second / ticksPerSecond, err == nil
}

// throttled is for how long the control group of this process, or the one of
// those around it that was kept longest, was kept from running by its limit.
func (k *Kernel) throttled() (most time.Duration, there bool) {
	text, err := fs.ReadFile(k.root, "proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(text) {
		parts := strings.SplitN(strings.TrimSpace(string(line)), ":", 3) // hierarchy:controllers:path
		if len(parts) != 3 {
			continue
		}
		base, name, unit := "sys/fs/cgroup", "throttled_usec", time.Microsecond
		if parts[0] != "0" { // version 1 has a hierarchy for each controller
			if !strings.Contains(","+parts[1]+",", ",cpu,") {
				continue
			}
			base, name, unit = "sys/fs/cgroup/cpu", "throttled_time", time.Nanosecond
		}
		for group := path.Join(base, parts[2]); len(group) >= len(base); group = path.Dir(group) {
			if units, is := k.figure(group+"/cpu.stat", name); is {
				most, there = max(most, time.Duration(units)*unit), true
			}
		}
	}
	return most, there
}

// figure is one of a file of names and numbers.
func (k *Kernel) figure(file, name string) (int64, bool) {
	text, err := fs.ReadFile(k.root, file)
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(text) {
		if words := strings.Fields(string(line)); len(words) == 2 && words[0] == name {
			n, err := strconv.ParseInt(words[1], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
