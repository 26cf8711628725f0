package machine

import (
	"math"
	"os"
	"runtime"
	"strconv"
	"testing"
	"testing/fstest"
	"time"
)

func TestKernel(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	pressure := func(micros int) string {
		return "some avg10=96.88 avg60=96.22 avg300=83.45 total=" + strconv.Itoa(micros) + "\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
	}
	cpus := runtime.NumCPU()
	for _, tt := range []struct {
		name          string
		before, after fstest.MapFS
		want          map[string]float64
	}{
		{"nothing is there", fstest.MapFS{}, fstest.MapFS{}, map[string]float64{}},
		{"nonsense", fstest.MapFS{"proc/pressure/cpu": file("busy\n"), "proc/stat": file("cpu many\n"), "proc/self/cgroup": file("what\n")},
			fstest.MapFS{"proc/pressure/cpu": file("busy\n"), "proc/stat": file("cpu many\n"), "proc/self/cgroup": file("what\n")}, map[string]float64{}},
		{"pressure",
			fstest.MapFS{"proc/pressure/cpu": file(pressure(1_000_000)), "proc/pressure/memory": file(pressure(0)), "proc/pressure/io": file(pressure(7))},
			fstest.MapFS{"proc/pressure/cpu": file(pressure(2_800_000)), "proc/pressure/memory": file(pressure(500_000)), "proc/pressure/io": file(pressure(7))},
			map[string]float64{CPU: 0.9, Memory: 0.25, IO: 0}},
		{"steal",
			fstest.MapFS{"proc/stat": file("cpu  65693 44839 65305 34046 863 0 1746 0 0 0\n")},
			fstest.MapFS{"proc/stat": file("cpu  65693 44839 65305 34046 863 0 1746 " + strconv.Itoa(100*cpus) + " 0 0\n")},
			map[string]float64{Steal: 0.5}},
		{"throttled, version 2",
			fstest.MapFS{"proc/self/cgroup": file("0::/ci/job\n"), "sys/fs/cgroup/ci/job/cpu.stat": file("usage_usec 9\nthrottled_usec 0\n"), "sys/fs/cgroup/ci/cpu.stat": file("throttled_usec 100\n")},
			fstest.MapFS{"proc/self/cgroup": file("0::/ci/job\n"), "sys/fs/cgroup/ci/job/cpu.stat": file("usage_usec 9\nthrottled_usec 1600000\n"), "sys/fs/cgroup/ci/cpu.stat": file("throttled_usec 100\n")},
			map[string]float64{Throttled: (1_600_000. - 100) / 2_000_000}},
		{"throttled, version 1",
			fstest.MapFS{"proc/self/cgroup": file("9:name=systemd:/\n1:cpu,cpuacct:/job\n0::/\n"), "sys/fs/cgroup/cpu/job/cpu.stat": file("nr_periods 3\nthrottled_time 0\n")},
			fstest.MapFS{"proc/self/cgroup": file("9:name=systemd:/\n1:cpu,cpuacct:/job\n0::/\n"), "sys/fs/cgroup/cpu/job/cpu.stat": file("nr_periods 3\nthrottled_time 1000000000\n")},
			map[string]float64{Throttled: 0.5}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := NewKernel(tt.before)
			if first := k.Look(time.Second); len(first) > 0 {
				t.Errorf("the first look: got %v, want nothing", first)
			}
			k.root = tt.after
			got := k.Look(3 * time.Second)
			if len(got) != len(tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			for what, share := range tt.want {
				if math.Abs(got[what]-share) > 0.001 {
					t.Errorf("%s: got %v, want %v", what, got[what], share)
				}
			}
		})
	}
}

// TestKernelOfThisMachine reads the real files, where there are any.
func TestKernelOfThisMachine(t *testing.T) {
	if _, err := os.Stat("/proc/stat"); err != nil {
		t.Skip("this machine has no /proc/stat")
	}
	k := NewKernel(os.DirFS("/"))
	k.Look(0)
	if shares := k.Look(time.Second); len(shares) == 0 {
		t.Error("got nothing of this machine, want at least what was stolen")
	}
}
