package scenarios_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

var (
	portBase   = regexp.MustCompile(`\bport=(\d+)`)
	portOffset = regexp.MustCompile(`\$\(\(port \+ (\d+)\)\)`)
	portOf     = regexp.MustCompile(`127\.0\.0\.1:(7\d{3})\b`)
)

// portsOf are the fixed ports of a system that is brought up to be attached to.
func portsOf(t *testing.T, folder string) []int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var ports []int
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // a folder
		}
		add := func(of *regexp.Regexp, base int) {
			for _, m := range of.FindAllSubmatch(text, -1) {
				n, err := strconv.Atoi(string(m[1]))
				if err != nil {
					t.Fatal(err)
				}
				ports = append(ports, base+n)
			}
		}
		add(portBase, 0)
		add(portOf, 0)
		if base := portBase.FindSubmatch(text); base != nil {
			n, err := strconv.Atoi(string(base[1]))
			if err != nil {
				t.Fatal(err)
			}
			add(portOffset, n)
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// TestPortsOfAttachedSystems: systems that go side by side have ports of their own.
func TestPortsOfAttachedSystems(t *testing.T) {
	systems, err := filepath.Glob("attached/*/*/system.sh")
	if err != nil || len(systems) < 10 {
		t.Fatalf("got systems %v, %v, want those of attached/", systems, err)
	}
	of := map[int]string{}
	for _, system := range systems {
		folder := filepath.Dir(system)
		for _, port := range portsOf(t, folder) {
			if other, taken := of[port]; taken {
				t.Errorf("port %d is of %s and of %s", port, other, folder)
			}
			of[port] = folder
		}
	}
}
